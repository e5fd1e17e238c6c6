"""What the reader bought, as far as time is concerned: its periods, when they are billed, and when it is over."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from avtal.contracts.frozen import Frozen
from avtal.contracts.periods import Interval, Period, boundary, civil_day, local_midnight, period, period_of

CancelAt = date | Literal["period_end", "now"]
"""A date is the first day without access."""


class CommandRefused(ValueError):
    """A command that the contract's rules do not allow; the text says why, and what to do."""


class Schedule(Frozen):
    """The contract's calendar. `anchor` is the start date; None for `fixed_periods` is until further notice."""

    anchor: date
    interval: Interval
    zone: str = "Europe/Stockholm"
    fixed_periods: int | None = None

    def period(self, number: int) -> Period:
        return period(self.anchor, self.interval, number)

    def period_at(self, now: datetime) -> Period:
        """The period that `now` falls into; the first one before the start."""
        return period_of(self.anchor, self.interval, civil_day(now, self.zone)) or self.period(0)

    def renewal_instant(self, number: int) -> datetime:
        """When period `number` begins (PER-9)."""
        return local_midnight(boundary(self.anchor, self.interval, number), self.zone)

    def fixed_end(self) -> "Ending | None":
        if self.fixed_periods is None:
            return None
        on = boundary(self.anchor, self.interval, self.fixed_periods)
        return Ending(on=on, at=local_midnight(on, self.zone), reason=EndReason.FIXED_TERM)


class EndReason(StrEnum):
    CANCELLED = "cancelled"
    FIXED_TERM = "fixed_term"
    UNPAID = "unpaid"


class Ending(Frozen):
    """`on` is the first day without access, `at` the instant at which it goes off."""

    on: date
    at: datetime
    reason: EndReason


class BillingTime(Frozen):
    """When a contract's work on a renewal begins: so many days ahead, so far into the account's work window, and in
    its turn.

    Window and turn spread contracts over the time after midnight; no date on a bill follows them (PER-10).
    """

    lead_days: int = 0
    window_minutes: int = 0
    spread_millionths: int = 0
    start_slot_seconds: int = 0

    def shifted(self, day: date, zone: str) -> datetime:
        into = timedelta(minutes=self.window_minutes) * self.spread_millionths / 1_000_000
        return (
            local_midnight(day - timedelta(days=self.lead_days), zone)
            + into
            + timedelta(seconds=self.start_slot_seconds)
        )


AT_MIDNIGHT = BillingTime()


def spread_millionths(identity: str) -> int:
    """The contract's own place in any work window, stable for life."""
    return int(hashlib.sha256(identity.encode()).hexdigest()[:12], 16) % 1_000_000


def bills_at(schedule: Schedule, number: int, sold_at: datetime, time: BillingTime = AT_MIDNIGHT) -> datetime:
    """When the bill of period `number` is made: the first at the sale, every later one as its period begins."""
    return sold_at if number == 0 else max(sold_at, time.shifted(schedule.period(number).start, schedule.zone))


def is_billed(schedule: Schedule, number: int, ending: Ending | None) -> bool:
    """Whether period `number` gets a bill: it must begin before the contract ends."""
    return ending is None or schedule.period(number).start < ending.on


def next_renewal(schedule: Schedule, ending: Ending | None, now: datetime) -> date | None:
    """The first day of the next period that will be billed; None if none will."""
    following = schedule.period_at(now).number + 1
    if (ending is not None and now >= ending.at) or not is_billed(schedule, following, ending):
        return None
    return schedule.period(following).start


def due_periods(
    schedule: Schedule,
    first: int,
    ending: Ending | None,
    sold_at: datetime,
    now: datetime,
    time: BillingTime = AT_MIDNIGHT,
) -> Iterator[Period]:
    """The periods from number `first` on whose bills are due by `now`, late ones included (PER-11)."""
    number = first
    while is_billed(schedule, number, ending) and bills_at(schedule, number, sold_at, time) <= now:
        yield schedule.period(number)
        number += 1


def cancellation(schedule: Schedule, ending: Ending | None, at: CancelAt, now: datetime) -> Ending:
    """The end that a cancellation asks for; asked again, the same. Raises Refused for a contract that is over, or a
    day that has passed."""
    if ending is not None and now >= ending.at:
        if ending.reason is EndReason.CANCELLED and at in ("now", ending.on):
            return ending
        raise CommandRefused(f"the contract has ended already, on {ending.on}")
    wanted = _asked_end(schedule, at, now)
    fixed = schedule.fixed_end()
    if fixed is not None and wanted.on > fixed.on:
        raise CommandRefused(f"the contract ends by itself on {fixed.on}; give an earlier day")
    return wanted


def _asked_end(schedule: Schedule, at: CancelAt, now: datetime) -> Ending:
    today = civil_day(now, schedule.zone)
    if at == "now" or at == today:
        return Ending(on=today, at=now, reason=EndReason.CANCELLED)
    on = schedule.period_at(now).end if at == "period_end" else at
    if on < today:
        raise CommandRefused(
            f"{on} has passed; give today, {today}, or a later day, which is the first day without access"
        )
    return Ending(on=on, at=local_midnight(on, schedule.zone), reason=EndReason.CANCELLED)
