"""Compares the demo's results with the expected outcomes: in Avtal's API and in Billogram's own data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from avtal.api.responses.bodies import BillResponse, ContractResponse
from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus
from avtal.embedded.demo.clients import Invoice, Json
from avtal.embedded.demo.scenario import Script

BILLOGRAM_STATES = {
    BillStatus.PAID: "Paid",
    BillStatus.CREDITED: "Credited",
    BillStatus.OPEN: "Unpaid",
    BillStatus.EXPIRED: "Ended",
}
"""Billogram's state for each status that bills have at the end."""


class Result(NamedTuple):
    """One contract after its year."""

    sale: Json
    script: Script
    contract: ContractResponse
    bills: Sequence[BillResponse]
    invoices: Sequence[Invoice]
    observed: set[str]


class Check(NamedTuple):
    name: str
    expected: object
    found: object

    @property
    def is_ok(self) -> bool:
        return self.expected == self.found


def contract_checks(result: Result) -> list[Check]:
    return [*_bill_checks(result), *_access_checks(result), *_billogram_checks(result)]


def overall_checks(results: Sequence[Result], invoices: Sequence[Invoice], callbacks: Sequence[str]) -> list[Check]:
    """Over all contracts together."""
    return [
        Check("invoices at Billogram", sum(len(in_force(result.bills)) for result in results), len(invoices)),
        Check("outcomes of callbacks", ["delivered"], sorted(set(callbacks))),
    ]


def paid_total(bills: Sequence[BillResponse]) -> Decimal:
    return sum((Decimal(bill.total) for bill in bills if bill.status is BillStatus.PAID), Decimal(0))


def in_force(bills: Sequence[BillResponse]) -> Sequence[BillResponse]:
    """Without those that another revision has replaced."""
    return [bill for bill in bills if bill.status is not BillStatus.VOID]


def agreed_total(sale: Json) -> Decimal:
    """The total of each bill: the lines with VAT, in whole kronor."""
    return sum((_with_vat(line, sale) for line in sale["lines"]), Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP)


def _bill_checks(result: Result) -> Iterator[Check]:
    outcome, bills = result.script.outcome, in_force(result.bills)
    count = sum(outcome.bills.values()) - outcome.bills.get(BillStatus.VOID, 0)
    yield Check("bills by status", _counts(outcome.bills), _counts(Counter(bill.status for bill in result.bills)))
    yield Check("billed periods", [*range(count)], [bill.period.number for bill in bills])
    ends = [bill.period.end for bill in bills[:-1]]
    yield Check("each period starts where the last one ended", ends, [bill.period.start for bill in bills[1:]])
    yield Check("totals", [f"{agreed_total(result.sale)}.00"] * count, [bill.total for bill in bills])
    yield Check("delivery methods", [outcome.method.value], sorted({str(bill.delivery_method) for bill in bills}))


def _access_checks(result: Result) -> Iterator[Check]:
    outcome, contract = result.script.outcome, result.contract
    access = Access.ON if outcome.access is AccessReason.ACTIVE else Access.OFF
    open_bills = [bill.bill_id for bill in result.bills if bill.status is BillStatus.OPEN]
    yield Check("contract status", outcome.status, contract.status)
    yield Check("access", f"{access}: {outcome.access}", f"{contract.access.access}: {contract.access.reason}")
    yield Check("open bills", open_bills, contract.open_bills)
    yield Check("parked bills", [], contract.parked)
    yield Check("observed during the year", sorted(outcome.observed), sorted(outcome.observed & result.observed))


def _billogram_checks(result: Result) -> Iterator[Check]:
    """One invoice per bill, with the same sums, state, and delivery method. Nothing remains to be paid of a loss."""
    invoices = {invoice.bill_id: invoice for invoice in result.invoices}
    yield Check("invoices at Billogram", len(in_force(result.bills)), len(result.invoices))
    for bill in in_force(result.bills):
        invoice = invoices.get(bill.bill_id)
        remaining = "0.00" if bill.status is BillStatus.EXPIRED else bill.remaining
        state = BILLOGRAM_STATES.get(bill.status)
        ours = f"{state} by {bill.delivery_method}, {remaining} of {bill.total} remains"
        theirs = invoice and f"{invoice.state} by {invoice.method}, {invoice.remaining} of {invoice.total} remains"
        yield Check(f"{bill.bill_id} at Billogram", ours, theirs)


def _counts(statuses: Mapping[BillStatus, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))


def _with_vat(line: Json, sale: Json) -> Decimal:
    gross: Decimal = line["quantity"] * Decimal(line["unit_price"])
    return gross if sale.get("prices_include_vat", True) else gross * (100 + Decimal(line["vat_rate"])) / 100
