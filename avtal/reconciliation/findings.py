"""The findings of a sweep: differences that it fixed, and differences to resolve manually."""

from enum import StrEnum

from avtal.contracts.bills.bill import SETTLED, BillStatus
from avtal.contracts.frozen import Frozen
from avtal.store.billing.reconciliation import CallbackCounts, Change


class Kind(StrEnum):
    SETTLED = "settled"
    LOST = "lost"
    REOPENED = "reopened"
    DISPATCHED = "dispatched"
    DELETED = "deleted"
    CHANGED = "changed"
    HISTORY = "history"
    NOT_FOUND = "not_found"
    VANISHED = "vanished"
    UNKNOWN = "unknown"
    UNEXPLAINED = "unexplained"


TEXTS = {
    Kind.SETTLED: "paid or credited, now recorded",
    Kind.LOST: "marked as a loss at Billogram, now recorded",
    Kind.REOPENED: "owed again, now recorded",
    Kind.DISPATCHED: "sent, now recorded",
    Kind.DELETED: "deleted before it was sent, now recorded",
    Kind.CHANGED: "another sum or due date, now recorded",
    Kind.HISTORY: "more history, now recorded",
    Kind.NOT_FOUND: "Billogram did not find it; sweep again after ten minutes",
    Kind.VANISHED: "Billogram no longer holds this invoice, though it was sent: contact Billogram",
    Kind.UNKNOWN: "Billogram holds it under one of our keys, and no bill here has it",
    Kind.UNEXPLAINED: "Billogram's state and ours differ, and its events do not explain it",
}
FIXED = frozenset({Kind.SETTLED, Kind.LOST, Kind.REOPENED, Kind.DISPATCHED, Kind.DELETED, Kind.CHANGED, Kind.HISTORY})
"""The others changed nothing, and are resolved manually."""


class Finding(Frozen):
    """`bill_id` is the platform key if no bill is known."""

    kind: Kind
    bill_id: str | None
    billogram_id: str


class Report(Frozen):
    account: str
    pages: int
    read: int
    findings: tuple[Finding, ...]
    callbacks: CallbackCounts


def kind_of(change: Change) -> Kind | None:
    """None if everything was known before."""
    if change.bill.status != change.before:
        return _kind_of_step(change.before, change.bill.status)
    if change.version_rose:
        return Kind.CHANGED
    return Kind.HISTORY if change.facts_new else None


def _kind_of_step(before: BillStatus, after: BillStatus) -> Kind:
    if after in SETTLED:
        return Kind.SETTLED
    if after is BillStatus.EXPIRED:
        return Kind.LOST
    if after is BillStatus.PARKED:
        return Kind.DELETED
    return Kind.DISPATCHED if before is BillStatus.DRAFT else Kind.REOPENED
