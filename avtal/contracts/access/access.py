"""Access is a pure function of the contract, its bills, their policy, and the time.

The first row that holds:

    from the instant that the contract ends             off   cancelled, or ended
    before the start day                                off   not_started
    a bill blocks                                       off   loss, or past_grace
    else                                                on    active

A bill blocks access from an instant on: a lost bill from its loss, unless the policy keeps access; an open bill from
local 00:00 after its last day of grace, if grace is configured. A payment that is reversed gives seven more days
(EDGE-12). A bill that is creating, draft, parked, settled, or void never blocks.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from avtal.contracts.bills.bill import BillSnapshot, BillStatus
from avtal.contracts.frozen import Frozen
from avtal.contracts.periods import local_midnight
from avtal.contracts.policy import OnLoss
from avtal.contracts.schedule import Ending, EndReason, Schedule

GRACE_AFTER_REVERSAL = timedelta(days=7)


class Access(StrEnum):
    ON = "on"
    OFF = "off"


class AccessReason(StrEnum):
    ACTIVE = "active"
    NOT_STARTED = "not_started"
    PAST_GRACE = "past_grace"
    LOSS = "loss"
    CANCELLED = "cancelled"
    ENDED = "ended"


BILL_REASONS = frozenset({AccessReason.PAST_GRACE, AccessReason.LOSS})
"""Access is off because of a bill."""


class Block(Frozen):
    """One bill keeps access off from `at` on."""

    bill_id: str
    at: datetime
    reason: AccessReason


class AccessChange(Frozen):
    """The next change of access if nothing else happens; `bill_id` is the bill that causes it."""

    at: datetime
    to: Access
    because: AccessReason
    bill_id: str | None = None


class AccessNow(Frozen):
    """`blocking` are the bills that keep access off, in the order of their cutoffs."""

    access: Access
    reason: AccessReason
    since: datetime
    blocking: tuple[str, ...] = ()
    next_change: AccessChange | None = None


class HasGrace(Protocol):
    """What a bill's grace is computed from."""

    @property
    def due_date(self) -> date | None: ...
    @property
    def grace_days(self) -> int | None: ...
    @property
    def reopened_on(self) -> date | None: ...


def grace_ends(bill: HasGrace) -> date | None:
    """The last day on which the bill leaves access on, or None if grace never ends (ACC-3)."""
    if bill.grace_days is None or bill.due_date is None:
        return None
    last = bill.due_date + timedelta(days=bill.grace_days)
    return last if bill.reopened_on is None else max(last, bill.reopened_on + GRACE_AFTER_REVERSAL)


def block_of(bill: BillSnapshot, zone: str) -> Block | None:
    if bill.status is BillStatus.EXPIRED and bill.on_loss is OnLoss.TURN_OFF and bill.lost_at is not None:
        return Block(bill_id=bill.bill_id, at=bill.lost_at, reason=AccessReason.LOSS)
    last = grace_ends(bill)
    if bill.status is not BillStatus.OPEN or last is None:
        return None
    cutoff = local_midnight(last + timedelta(days=1), zone)
    return Block(bill_id=bill.bill_id, at=cutoff, reason=AccessReason.PAST_GRACE)


def access_at(
    schedule: Schedule,
    sold_at: datetime,
    ending: Ending | None,
    now: datetime,
    blocks: Collection[Block] = (),
    access_restored_at: datetime | None = None,
) -> AccessNow:
    """Access by the table above; `access_restored_at` is when the last block was removed."""
    begins = max(sold_at, local_midnight(schedule.anchor, schedule.zone))
    on_since = max(begins, access_restored_at or begins)
    ordered = sorted(blocks, key=lambda block: (block.at, block.bill_id))
    if ending is not None and now >= ending.at:
        return AccessNow(access=Access.OFF, reason=ending_reason(ending), since=ending.at)
    if now < begins:
        return AccessNow(
            access=Access.OFF,
            reason=AccessReason.NOT_STARTED,
            since=sold_at,
            next_change=_first_change(begins, ending, ordered),
        )
    active = [block for block in ordered if block.at <= now]
    if active:
        return AccessNow(
            access=Access.OFF,
            reason=active[0].reason,
            since=max(active[0].at, on_since),
            blocking=tuple(block.bill_id for block in active),
        )
    return AccessNow(
        access=Access.ON, reason=AccessReason.ACTIVE, since=on_since, next_change=_next_turn_off(ending, ordered)
    )


def ending_reason(ending: Ending) -> AccessReason:
    return AccessReason.CANCELLED if ending.reason is EndReason.CANCELLED else AccessReason.ENDED


def _next_turn_off(ending: Ending | None, blocks: Collection[Block]) -> AccessChange | None:
    changes = [
        AccessChange(at=block.at, to=Access.OFF, because=block.reason, bill_id=block.bill_id) for block in blocks
    ]
    if ending is not None:
        changes.insert(0, AccessChange(at=ending.at, to=Access.OFF, because=ending_reason(ending)))
    return min(changes, key=lambda change: change.at, default=None)


def _first_change(begins: datetime, ending: Ending | None, blocks: Collection[Block]) -> AccessChange | None:
    has_ended = ending is not None and ending.at <= begins
    if has_ended or any(block.at <= begins for block in blocks):
        return None
    return AccessChange(at=begins, to=Access.ON, because=AccessReason.ACTIVE)
