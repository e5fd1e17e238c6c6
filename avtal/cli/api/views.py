"""Renders contracts and bills as rich tables."""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import BaseModel
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from avtal.api.responses.bodies import BillResponse, ContractResponse, ParkedResponse
from avtal.cli.settings import settings
from avtal.cli.terminal import BAD, GOOD, MUTED, WAITING, plain
from avtal.contracts.access.access import Access
from avtal.contracts.bills.bill import BillStatus
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import Period, civil_day
from avtal.embedded.where_to_look import command_prefix

CONTRACT_STYLES = {
    ContractStatus.ACTIVE: GOOD,
    ContractStatus.CANCELLING: WAITING,
    ContractStatus.SUSPENDED: BAD,
    ContractStatus.ENDED: MUTED,
}
BILL_STYLES = {
    BillStatus.CREATING: WAITING,
    BillStatus.DRAFT: WAITING,
    BillStatus.OPEN: "cyan",
    BillStatus.PAID: GOOD,
    BillStatus.CREDITED: GOOD,
    BillStatus.EXPIRED: BAD,
    BillStatus.PARKED: BAD,
    BillStatus.VOID: MUTED,
}


class SoldLine(BaseModel):
    title: str
    quantity: int
    unit_price: str
    vat_rate: str | int


class SoldTerms(BaseModel):
    """The terms that the tables show."""

    lines: list[SoldLine]
    currency: str
    prices_include_vat: bool
    time_zone: str


def contract_view(contract: ContractResponse) -> Group:
    access = contract.access
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_row("Contract", plain(contract.contract_id))
    facts.add_row("Status", plain(contract.status, CONTRACT_STYLES[contract.status]))
    facts.add_row("Access", _access_text(contract))
    facts.add_row("", plain(access.explanation))
    if access.next_change:
        day = civil_day(access.next_change.at, SoldTerms.model_validate(contract.terms).time_zone)
        facts.add_row("", plain(f"{access.next_change.to} from {day} on"))
    facts.add_row("Period", plain(_period_text(contract.current_period)))
    facts.add_row("Next renewal", plain(contract.next_renewal))
    facts.add_row("Open bills", plain(", ".join(contract.open_bills) or None))
    facts.add_row("Policy", plain(f"version {contract.policy_version}"))
    return Group(facts, "", _lines_table(contract), *(parked_view(parked) for parked in contract.parked))


def contracts_table(contracts: Iterable[ContractResponse]) -> Table:
    table = _table("Contract", "Status", "Access", "Period", "Next renewal", "Open bills", "Parked")
    for contract in contracts:
        parked = ", ".join(one.reason for one in contract.parked)
        table.add_row(
            plain(contract.contract_id),
            plain(contract.status, CONTRACT_STYLES[contract.status]),
            _access_text(contract),
            plain(_period_text(contract.current_period)),
            plain(contract.next_renewal),
            plain(len(contract.open_bills) or None),
            plain(parked or None, BAD),
        )
    return table


def bills_table(bills: Iterable[BillResponse]) -> Table:
    table = _table("Bill", "Period", "Status", "Due", "Total", "Remaining", "By", "Invoice no")
    for amounts in ("Total", "Remaining"):
        next(column for column in table.columns if column.header == amounts).justify = "right"
    for bill in bills:
        table.add_row(
            plain(bill.bill_id),
            plain(_period_text(bill.period)),
            plain(bill.status_text, BILL_STYLES[bill.status]),
            plain(bill.due_date),
            plain(f"{bill.total} {bill.currency}"),
            plain(bill.remaining),
            plain(bill.delivery_method),
            plain(bill.invoice_no),
        )
    return table


def bill_view(bill: BillResponse) -> Group:
    return Group(bills_table([bill]), *([parked_view(bill.parked)] if bill.parked else []))


def parked_view(parked: ParkedResponse) -> Panel:
    """Why the bill is parked, and the two commands for it."""
    given = settings()
    avtal = command_prefix(None if given.url else given.data_dir)
    text = Text("\n").join(
        [
            plain(parked.detail),
            plain(""),
            plain(f"after a fix:   {avtal} retry {parked.bill_id}", "bold"),
            plain(f"to waive it:   {avtal} waive {parked.bill_id} --reason TEXT", "bold"),
        ]
    )
    return Panel(text, title=plain(f"{parked.bill_id} is parked: {parked.reason}"), border_style=BAD, expand=False)


def _lines_table(contract: ContractResponse) -> Table:
    terms = SoldTerms.model_validate(contract.terms)
    table = _table(
        "Line", "Quantity", f"{terms.currency} {'with' if terms.prices_include_vat else 'without'} VAT", "VAT"
    )
    for line in terms.lines:
        table.add_row(plain(line.title), plain(line.quantity), plain(line.unit_price), plain(f"{line.vat_rate} %"))
    return table


def _access_text(contract: ContractResponse) -> Text:
    access = contract.access
    style = GOOD if access.access is Access.ON else BAD
    since = civil_day(access.since, SoldTerms.model_validate(contract.terms).time_zone)
    return plain(f"{access.access} ({access.reason}) since {since}", style)


def _period_text(period: Period | None) -> str | None:
    return None if period is None else f"{period.number}: {period.start} – {period.end - timedelta(days=1)}"


def _table(*headers: str) -> Table:
    table = Table(header_style="bold", border_style=MUTED)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
