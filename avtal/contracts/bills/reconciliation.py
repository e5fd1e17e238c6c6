"""Compares bills with the platform's list: which invoices must be read, and which states contradict each other.

An invoice is read if its list entry differs from the last reading, and one of these holds:

    our status does not allow its stage                  a dispatch, a settlement, a reversal, or a loss was missed
    it has ended, and no fact says so                    the end was missed, though its payment arrived
    its total or due date is not ours                    staff changed it, or granted respite
    it is open, and another sum remains                  a payment, a credit, or a fee was missed
    it was changed after our newest fact                 anything else was missed

Bills in creation are skipped. An invoice that is open, while its bill is settled, is read by every sweep: the remaining
sum may consist of late fees and interest only (ACC-4), which the list does not distinguish.
"""

import re
from datetime import date, datetime

from avtal.contracts.bills.bill import SETTLED, BillStatus, bill_parts
from avtal.contracts.bills.invoice import ListedInvoice, RemoteInvoice, Stage
from avtal.contracts.frozen import Frozen

ALLOWED = {
    Stage.DRAFT: {BillStatus.DRAFT, BillStatus.PARKED, BillStatus.VOID},
    Stage.OPEN: {BillStatus.OPEN, BillStatus.PARKED, BillStatus.VOID},
    Stage.SETTLED: {BillStatus.PAID, BillStatus.CREDITED, BillStatus.VOID},
    Stage.ENDED: {BillStatus.PAID, BillStatus.CREDITED, BillStatus.EXPIRED, BillStatus.VOID},
}
SHORTENED = re.compile(r"[A-Za-z0-9._:-]+~[0-9a-f]{16}")
"""A platform key derived from a bill id that is too long."""
OVER = frozenset({Stage.SETTLED, Stage.ENDED})


class KnownBill(Frozen):
    """Our copy of an invoice. `due_date` is the effective one."""

    bill_id: str
    status: BillStatus
    total_minor: int
    remaining_minor: int
    due_date: date | None
    fingerprint: str | None
    missing_since: datetime | None
    known_until: datetime | None
    """The time of our newest fact from the platform."""
    has_ended: bool


def must_be_read(bill: KnownBill, shown: ListedInvoice) -> bool:
    if bill.status is BillStatus.CREATING:
        return False
    if bill.fingerprint == shown.fingerprint:
        return bill.status in SETTLED and shown.stage is Stage.OPEN
    return (
        disagrees(bill, shown)
        or (shown.stage in OVER and not bill.has_ended)
        or (shown.stage is not Stage.DRAFT and _terms(bill) != _terms(shown))
        or (shown.stage is Stage.OPEN and bill.remaining_minor != shown.remaining_minor)
        or _is_newer(shown.updated_at, bill.known_until)
    )


def disagrees(bill: KnownBill, shown: ListedInvoice) -> bool:
    """The bill's status does not allow the invoice's stage."""
    return bill.status is not BillStatus.CREATING and bill.status not in ALLOWED[shown.stage]


def owes_late_fees_alone(bill: KnownBill, invoice: RemoteInvoice) -> bool:
    return bill.status in SETTLED and 0 < invoice.remaining_minor <= invoice.late_fees_minor


def _terms(invoice: KnownBill | ListedInvoice) -> tuple[object, ...]:
    return invoice.total_minor, invoice.due_date


def _is_newer(updated_at: datetime | None, known_until: datetime | None) -> bool:
    """In whole seconds, the resolution of the platform's events."""
    if updated_at is None or known_until is None:
        return updated_at is not None
    return updated_at.replace(microsecond=0) > known_until.replace(microsecond=0)


def names_a_bill(key: str | None) -> bool:
    """Whether it has the form of a platform key of ours."""
    return key is not None and (bill_parts(key) is not None or bool(SHORTENED.fullmatch(key)))
