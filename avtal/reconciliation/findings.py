"""What a sweep found: what was mended, and what a person should look at."""

from enum import StrEnum

from avtal.contracts.bills.bill import SETTLED, BillStatus
from avtal.contracts.frozen import Frozen
from avtal.store.billing.reconciliation import Callbacks, Change


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
    Kind.LOST: "given up at Billogram, now recorded",
    Kind.REOPENED: "owed again, now recorded",
    Kind.DISPATCHED: "sent, now recorded",
    Kind.DELETED: "deleted before it was sent, now recorded",
    Kind.CHANGED: "another sum or due date, now recorded",
    Kind.HISTORY: "more history, now recorded",
    Kind.NOT_FOUND: "Billogram did not find it; look again after ten minutes",
    Kind.VANISHED: "Billogram holds no such invoice any more, though it was sent: ask Billogram",
    Kind.UNKNOWN: "Billogram holds it under a key of ours, and no bill here has it",
    Kind.UNEXPLAINED: "Billogram's state and ours differ, and its events do not say why",
}
MENDED = frozenset({Kind.SETTLED, Kind.LOST, Kind.REOPENED, Kind.DISPATCHED, Kind.DELETED, Kind.CHANGED, Kind.HISTORY})
"""The others are for a person, and nothing was changed."""


class Finding(Frozen):
    """`bill_id` is the platform key where no bill is known."""

    kind: Kind
    bill_id: str | None
    billogram_id: str


class Report(Frozen):
    account: str
    pages: int
    read: int
    findings: tuple[Finding, ...]
    callbacks: Callbacks


def kind_of(change: Change) -> Kind | None:
    """What a recorded reading has mended; None if all of it was known."""
    if change.bill.status != change.before:
        return _kind_of_step(change.before, change.bill.status)
    if change.is_news:
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
