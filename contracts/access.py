"""Who may read: access is a pure function of the contract and the time.

    before the start day                             off   not_started
    from the instant that the contract ends          off   cancelled, or ended when its fixed periods are over
    else                                             on    active

What unpaid and lost bills do to access joins this table with the outcomes that need it (docs/limits.md).
"""

from datetime import datetime
from enum import StrEnum

from contracts.periods import local_midnight
from contracts.record import Record
from contracts.terms import Ending, EndReason, Schedule


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


class AccessChange(Record):
    """What happens to access next if nothing else does."""

    at: datetime
    to: Access
    because: AccessReason


class AccessNow(Record):
    access: Access
    reason: AccessReason
    since: datetime
    next_change: AccessChange | None = None


def access_at(schedule: Schedule, sold_at: datetime, ending: Ending | None, now: datetime) -> AccessNow:
    """Access by the table above."""
    begins = max(sold_at, local_midnight(schedule.anchor, schedule.zone))
    if ending is not None and now >= ending.at:
        return AccessNow(access=Access.OFF, reason=_over(ending), since=ending.at)
    if now < begins:
        return AccessNow(
            access=Access.OFF,
            reason=AccessReason.NOT_STARTED,
            since=sold_at,
            next_change=_first_change(begins, ending),
        )
    off = None if ending is None else AccessChange(at=ending.at, to=Access.OFF, because=_over(ending))
    return AccessNow(access=Access.ON, reason=AccessReason.ACTIVE, since=begins, next_change=off)


def explain(access: AccessNow, schedule: Schedule, ending: Ending | None) -> str:
    """One sentence: why access is on or off, and what would change it."""
    match access.reason:
        case AccessReason.NOT_STARTED if ending is not None and ending.at <= local_midnight(
            schedule.anchor, schedule.zone
        ):
            return f"Access is off: the contract was cancelled before its start on {schedule.anchor}."
        case AccessReason.NOT_STARTED:
            return f"Access is off: the contract starts on {schedule.anchor} and turns it on then."
        case AccessReason.CANCELLED if ending is not None:
            return f"Access is off: the contract was cancelled, and {ending.on} was its first day without access."
        case AccessReason.ENDED if ending is not None:
            return f"Access is off: the contract's {schedule.fixed_periods} periods ended on {ending.on}."
    if ending is None:
        return "Access is on: the contract runs until further notice. A cancellation would end it."
    if ending.reason is EndReason.CANCELLED:
        return f"Access is on: the contract is cancelled from {ending.on}. Revoking the cancellation would keep it on."
    return f"Access is on: the contract runs for {schedule.fixed_periods} periods, until {ending.on}."


def _over(ending: Ending) -> AccessReason:
    return AccessReason.CANCELLED if ending.reason is EndReason.CANCELLED else AccessReason.ENDED


def _first_change(begins: datetime, ending: Ending | None) -> AccessChange | None:
    if ending is not None and ending.at <= begins:
        return None
    return AccessChange(at=begins, to=Access.ON, because=AccessReason.ACTIVE)
