"""What a bill's facts mean, and what they do to access, told a second time: plain sums over what happened, without
states, versions, or order of arrival. Random lives are compared with it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.contracts.periods import civil_day, local_midnight
from avtal.contracts.policy import OnLoss, Policy
from avtal.contracts.schedule import Ending, EndReason

ZONE = "Europe/Stockholm"


class Told(NamedTuple):
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


def status_of(told: Sequence[Told], *, is_void: bool = False) -> BillStatus:
    """Of a bill that the platform has an invoice of, or had."""
    kinds = {one.kind for one in told}
    paid, credited = _paid(told), _sum(told, FactType.CREDIT)
    is_dispatched = bool(kinds & {FactType.DISPATCHED, FactType.INVOICED})
    if is_void:
        return BillStatus.VOID
    if not is_dispatched:
        return BillStatus.PARKED if FactType.DELETED in kinds else BillStatus.DRAFT
    if paid + credited >= _total(told):
        return BillStatus.CREDITED if credited and paid <= 0 else BillStatus.PAID
    return BillStatus.OPEN if lost_at(told) is None else BillStatus.EXPIRED


def remaining_minor(told: Sequence[Told]) -> int:
    return max(_total(told) - _paid(told) - _sum(told, FactType.CREDIT), 0)


def lost_at(told: Sequence[Told]) -> datetime | None:
    """A loss that was told; or an end, unless money was taken back since."""
    losses = [one.at for one in told if one.kind is FactType.LOSS]
    if losses:
        return min(losses)
    ends = [one.at for one in told if one.kind is FactType.ENDED]
    recalls = [one.at for one in told if one.kind is FactType.PAYMENT_REVERSED]
    return max(ends) if ends and max(ends) > max(recalls, default=datetime.min.replace(tzinfo=ends[0].tzinfo)) else None


def block_of(bill_id: str, told: Sequence[Told], policy: Policy, *, is_void: bool = False) -> Block | None:
    """From when on this bill keeps access off."""
    status = status_of(told, is_void=is_void)
    lost = lost_at(told)
    if status is BillStatus.EXPIRED and policy.on_loss is OnLoss.TURN_OFF and lost is not None:
        return Block(lost, bill_id, AccessReason.LOSS)
    if status is not BillStatus.OPEN or policy.grace_days is None:
        return None
    last = [one.due_date for one in sorted(told, key=lambda one: one.at) if one.due_date][-1]
    last += timedelta(days=policy.grace_days)
    recalls = [civil_day(one.at, ZONE) for one in told if one.kind is FactType.PAYMENT_REVERSED]
    last = max([last, *(day + timedelta(days=7) for day in recalls)])
    return Block(local_midnight(last + timedelta(days=1), ZONE), bill_id, AccessReason.PAST_GRACE)


def access_at(
    now: datetime, begins: datetime, ending: Ending | None, blocks: Collection[Block]
) -> tuple[Access, AccessReason]:
    if ending is not None and now >= ending.at:
        was_cancelled = ending.reason is EndReason.CANCELLED
        return Access.OFF, AccessReason.CANCELLED if was_cancelled else AccessReason.ENDED
    if now < begins:
        return Access.OFF, AccessReason.NOT_STARTED
    active = sorted(block for block in blocks if block.at <= now)
    return (Access.OFF, active[0].reason) if active else (Access.ON, AccessReason.ACTIVE)


def _paid(told: Sequence[Told]) -> int:
    return _sum(told, FactType.PAYMENT) - _sum(told, FactType.PAYMENT_REVERSED)


def _total(told: Sequence[Told]) -> int:
    return [one.total_minor for one in sorted(told, key=lambda one: one.at) if one.total_minor is not None][-1]


def _sum(told: Sequence[Told], kind: FactType) -> int:
    return sum(one.amount_minor for one in told if one.kind is kind)
