"""A second, plain computation of status and access from a bill's facts: sums, without states, versions, or order of
arrival. Random contracts are compared with it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.contracts.periods import civil_day, local_midnight
from avtal.contracts.policy import OnLoss, Policy
from avtal.contracts.schedule import Ending, EndReason

ZONE = "Europe/Stockholm"


class OracleFact(NamedTuple):
    """One thing that happened to a bill."""

    kind: FactType
    at: datetime
    amount_minor: int = 0
    total_minor: int | None = None
    due_date: date | None = None


class Block(NamedTuple):
    at: datetime
    bill_id: str
    reason: AccessReason


def status_of(facts: Sequence[OracleFact], *, is_void: bool = False) -> BillStatus:
    """The status of a bill that has, or had, an invoice at Billogram."""
    kinds = {one.kind for one in facts}
    paid, credited = _paid(facts), _sum(facts, FactType.CREDIT)
    is_dispatched = bool(kinds & {FactType.DISPATCHED, FactType.INVOICED})
    if is_void:
        return BillStatus.VOID
    if not is_dispatched:
        return BillStatus.PARKED if FactType.DELETED in kinds else BillStatus.DRAFT
    if paid + credited >= _total(facts):
        return BillStatus.CREDITED if credited and paid <= 0 else BillStatus.PAID
    return BillStatus.OPEN if lost_at(facts) is None else BillStatus.EXPIRED


def remaining_minor(facts: Sequence[OracleFact]) -> int:
    return max(_total(facts) - _paid(facts) - _sum(facts, FactType.CREDIT), 0)


def lost_at(facts: Sequence[OracleFact]) -> datetime | None:
    """The first loss; or the last end, unless a payment was reversed since."""
    losses = [one.at for one in facts if one.kind is FactType.LOSS]
    if losses:
        return min(losses)
    ends = [one.at for one in facts if one.kind is FactType.ENDED]
    reversals = [one.at for one in facts if one.kind is FactType.PAYMENT_REVERSED]
    if not ends or (reversals and max(ends) <= max(reversals)):
        return None
    return max(ends)


def block_of(bill_id: str, facts: Sequence[OracleFact], policy: Policy, *, is_void: bool = False) -> Block | None:
    """The instant from which this bill keeps access off, or None."""
    status = status_of(facts, is_void=is_void)
    lost = lost_at(facts)
    if status is BillStatus.EXPIRED and policy.on_loss is OnLoss.TURN_OFF and lost is not None:
        return Block(lost, bill_id, AccessReason.LOSS)
    if status is not BillStatus.OPEN or policy.grace_days is None:
        return None
    last = [one.due_date for one in sorted(facts, key=lambda one: one.at) if one.due_date][-1]
    last += timedelta(days=policy.grace_days)
    reversals = [civil_day(one.at, ZONE) for one in facts if one.kind is FactType.PAYMENT_REVERSED]
    last = max([last, *(day + timedelta(days=7) for day in reversals)])
    return Block(local_midnight(last + timedelta(days=1), ZONE), bill_id, AccessReason.PAST_GRACE)


def access_at(
    now: datetime, starts_at: datetime, ending: Ending | None, blocks: Collection[Block]
) -> tuple[Access, AccessReason]:
    if ending is not None and now >= ending.at:
        was_cancelled = ending.reason is EndReason.CANCELLED
        return Access.OFF, AccessReason.CANCELLED if was_cancelled else AccessReason.ENDED
    if now < starts_at:
        return Access.OFF, AccessReason.NOT_STARTED
    active = sorted(block for block in blocks if block.at <= now)
    return (Access.OFF, active[0].reason) if active else (Access.ON, AccessReason.ACTIVE)


def _paid(facts: Sequence[OracleFact]) -> int:
    return _sum(facts, FactType.PAYMENT) - _sum(facts, FactType.PAYMENT_REVERSED)


def _total(facts: Sequence[OracleFact]) -> int:
    return [one.total_minor for one in sorted(facts, key=lambda one: one.at) if one.total_minor is not None][-1]


def _sum(facts: Sequence[OracleFact], kind: FactType) -> int:
    return sum(one.amount_minor for one in facts if one.kind is kind)
