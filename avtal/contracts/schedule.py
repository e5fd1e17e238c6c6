"""The contract's calendar: its periods, when they are billed, and when the contract ends."""

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
    """The contract's rules do not allow the command; the text says why, and what to do."""


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
    """When the work on a contract's renewal starts: lead days ahead, plus the contract's place in the account's work
    window, plus its start slot.

    Window and slot spread contracts over the time after midnight; period and access do not depend on them (PER-10).
    """

    lead_days: int = 0
    work_window_minutes: int = 0
    spread_millionths: int = 0
    start_slot_seconds: int = 0

    def shifted(self, day: date, zone: str) -> datetime:
        into_window = timedelta(minutes=self.work_window_minutes) * self.spread_millionths / 1_000_000
        delay = into_window + timedelta(seconds=self.start_slot_seconds)
        return local_midnight(day - timedelta(days=self.lead_days), zone) + delay


AT_MIDNIGHT = BillingTime()


def spread_millionths(identity: str) -> int:
    """The contract's place in any work window; it never changes."""
    return int(hashlib.sha256(identity.encode()).hexdigest()[:12], 16) % 1_000_000


def bills_at(schedule: Schedule, number: int, sold_at: datetime, time: BillingTime = AT_MIDNIGHT) -> datetime:
    """When the bill of period `number` is made: the first at the sale, every later one as its period begins."""
    return sold_at if number == 0 else max(sold_at, time.shifted(schedule.period(number).start, schedule.zone))


def first_period_after(schedule: Schedule, lead_days: int, now: datetime) -> int:
    """From which period on a change of lines at `now` holds: the first one whose bill is nominally made later, at local
    00:00 of its first day less the lead days. Delays, holds, and retries never change a price, and the first period
    keeps the price of the sale."""
    nominal = BillingTime(lead_days=lead_days)
    number = max(schedule.period_at(now).number, 1)
    while nominal.shifted(schedule.period(number).start, schedule.zone) <= now:
        number += 1
    return number


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
    """The ending that a cancellation sets; repeated, the same. Raises CommandRefused if the contract has ended, or the
    day has passed."""
    if ending is not None and now >= ending.at:
        if ending.reason is EndReason.CANCELLED and at in ("now", ending.on):
            return ending
        raise CommandRefused(f"the contract has ended already, on {ending.on}")
    wanted = _requested_ending(schedule, at, now)
    fixed = schedule.fixed_end()
    if fixed is not None and wanted.on > fixed.on:
        raise CommandRefused(f"the contract ends on {fixed.on} anyway; give an earlier day")
    return wanted


def _requested_ending(schedule: Schedule, at: CancelAt, now: datetime) -> Ending:
    today = civil_day(now, schedule.zone)
    if at == "now" or at == today:
        return Ending(on=today, at=now, reason=EndReason.CANCELLED)
    on = schedule.period_at(now).end if at == "period_end" else at
    if on < today:
        raise CommandRefused(
            f"{on} has passed; give today, {today}, or a later day, which is the first day without access"
        )
    return Ending(on=on, at=local_midnight(on, schedule.zone), reason=EndReason.CANCELLED)
