"""What a sweep over the platform's list goes by: which bills contradict it, so that their invoices must be read whole.

An invoice is read if it looks otherwise than when it was last read, and one of these holds:

    its stage is none that our status allows             a dispatch, a settlement, a recall, or a loss was missed
    it has ended, and no fact says so                    the end was missed, though its payment came
    its total or due date is not ours                    staff changed it, or granted respite
    it is open, and another sum remains                  a payment, a credit, or a fee was missed
    it was changed after the newest fact that we have    anything else was missed

Bills that are being made are left to their maker. One that is settled here and open there is read at every sweep: what
remains may be the costs of being late alone (ACC-4), which the list does not tell apart.
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
"""A platform key that was too long to be the bill id itself."""
OVER = frozenset({Stage.SETTLED, Stage.ENDED})


class KnownBill(Frozen):
    """What we know of one invoice that the platform holds. `due_date` is the one that counts."""

    bill_id: str
    status: BillStatus
    total_minor: int
    remaining_minor: int
    due_date: date | None
    fingerprint: str | None
    missing_since: datetime | None
    known_until: datetime | None
    """When the newest thing happened that we know of."""
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
    """One of the two is wrong, or the platform knows an outcome that we do not."""
    return bill.status is not BillStatus.CREATING and bill.status not in ALLOWED[shown.stage]


def owes_late_fees_alone(bill: KnownBill, invoice: RemoteInvoice) -> bool:
    return bill.status in SETTLED and 0 < invoice.remaining_minor <= invoice.late_fees_minor


def _terms(one: KnownBill | ListedInvoice) -> tuple[object, ...]:
    return one.total_minor, one.due_date


def _is_newer(updated_at: datetime | None, known_until: datetime | None) -> bool:
    """In whole seconds, as the platform dates its events."""
    if updated_at is None or known_until is None:
        return updated_at is not None
    return updated_at.replace(microsecond=0) > known_until.replace(microsecond=0)


def names_a_bill(key: str | None) -> bool:
    """Whether it looks like a platform key of ours."""
    return key is not None and (bill_parts(key) is not None or bool(SHORTENED.fullmatch(key)))
