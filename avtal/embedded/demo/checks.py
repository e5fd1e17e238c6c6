"""What the demo has shown, compared with what was to happen: in Avtal's API, and in Billogram's own books."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from avtal.api.responses.models import BillResponse, ContractResponse
from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus
from avtal.embedded.demo.clients import Invoice, Json
from avtal.embedded.demo.scenario import Part

STATES = {
    BillStatus.PAID: "Paid",
    BillStatus.CREDITED: "Credited",
    BillStatus.OPEN: "Unpaid",
    BillStatus.EXPIRED: "Ended",
}
"""What Billogram calls the statuses that bills have when the year is over."""


class Played(NamedTuple):
    """One contract after its year, seen from all sides."""

    sale: Json
    part: Part
    contract: ContractResponse
    bills: Sequence[BillResponse]
    invoices: Sequence[Invoice]
    seen: set[str]


class Comparison(NamedTuple):
    what: str
    expected: object
    found: object

    @property
    def agrees(self) -> bool:
        return self.expected == self.found


def comparisons(played: Played) -> list[Comparison]:
    return [*_of_the_bills(played), *_of_the_contract(played), *_at_billogram(played)]


def overall(played: Sequence[Played], invoices: Sequence[Invoice], callbacks: Sequence[str]) -> list[Comparison]:
    """What no single contract can tell."""
    return [
        Comparison("invoices that Billogram has", sum(len(in_force(one.bills)) for one in played), len(invoices)),
        Comparison("what became of the callbacks", ["delivered"], sorted(set(callbacks))),
    ]


def paid(bills: Sequence[BillResponse]) -> Decimal:
    return sum((Decimal(bill.total) for bill in bills if bill.status is BillStatus.PAID), Decimal(0))


def in_force(bills: Sequence[BillResponse]) -> Sequence[BillResponse]:
    """Without those that another revision has replaced."""
    return [bill for bill in bills if bill.status is not BillStatus.VOID]


def agreed(sale: Json) -> Decimal:
    """What each bill must come to: the lines' sum with VAT, in whole kronor."""
    return sum((_with_vat(line, sale) for line in sale["lines"]), Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP)


def _of_the_bills(played: Played) -> Iterator[Comparison]:
    outcome, bills = played.part.outcome, in_force(played.bills)
    count = sum(outcome.bills.values()) - outcome.bills.get(BillStatus.VOID, 0)
    yield Comparison("bills by status", _told(outcome.bills), _told(Counter(bill.status for bill in played.bills)))
    yield Comparison("periods billed", [*range(count)], [bill.period.number for bill in bills])
    ends = [bill.period.end for bill in bills[:-1]]
    yield Comparison("periods begin where the last one ended", ends, [bill.period.start for bill in bills[1:]])
    yield Comparison("sums of the bills", [f"{agreed(played.sale)}.00"] * count, [bill.total for bill in bills])
    yield Comparison("ways of delivery", [outcome.method.value], sorted({str(bill.delivery_method) for bill in bills}))


def _of_the_contract(played: Played) -> Iterator[Comparison]:
    outcome, contract = played.part.outcome, played.contract
    access = Access.ON if outcome.access is AccessReason.ACTIVE else Access.OFF
    open_bills = [bill.bill_id for bill in played.bills if bill.status is BillStatus.OPEN]
    yield Comparison("contract", outcome.status, contract.status)
    yield Comparison("access", f"{access}: {outcome.access}", f"{contract.access.access}: {contract.access.reason}")
    yield Comparison("open bills", open_bills, contract.open_bills)
    yield Comparison("parked bills", [], contract.parked)
    yield Comparison("seen on the way", sorted(outcome.seen), sorted(outcome.seen & played.seen))


def _at_billogram(played: Played) -> Iterator[Comparison]:
    """One invoice for each bill and none besides, with the same sums, in the same state, sent in the same way. Of a
    loss nothing remains there: it is no claim any more."""
    invoices = {invoice.bill_id: invoice for invoice in played.invoices}
    yield Comparison("invoices at Billogram", len(in_force(played.bills)), len(played.invoices))
    for bill in in_force(played.bills):
        invoice = invoices.get(bill.bill_id)
        left = "0.00" if bill.status is BillStatus.EXPIRED else bill.remaining
        ours = f"{STATES.get(bill.status)} by {bill.delivery_method}, {left} of {bill.total} remains"
        theirs = invoice and f"{invoice.state} by {invoice.method}, {invoice.remaining} of {invoice.total} remains"
        yield Comparison(f"{bill.bill_id} at Billogram", ours, theirs)


def _told(counts: Mapping[BillStatus, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


def _with_vat(line: Json, sale: Json) -> Decimal:
    gross: Decimal = line["quantity"] * Decimal(line["unit_price"])
    return gross if sale.get("prices_include_vat", True) else gross * (100 + Decimal(line["vat_rate"])) / 100
