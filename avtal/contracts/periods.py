"""Civil dates, billing periods, and time zones: no other module of the workflow computes with them.

Rules (docs/rules.md):

* PER-1  Civil dates in the contract's zone are the truth; instants are derived from them, one way.
* PER-2  A boundary is always counted from the anchor, never from the boundary before it, and clamped to the
         length of its month. A year is twelve months, a week seven days.
* PER-3  Period n is half-open: from boundary n up to, not including, boundary n + 1.
* PER-4  So the 31st means the last day of a short month and returns to the 31st after it, and 29 February
         returns in leap years.
* PER-7  Periods tile: no gap, no overlap, and every day from the anchor on lies in exactly one.
* PER-9  A civil day begins at local 00:00. If the clock jumps over that, the day begins at the first instant
         after the jump; if 00:00 comes twice, at the first. A day that a zone left out altogether begins
         where the next one does.

The calendar ends with the year 9999: a later date raises OverflowError.
"""

from bisect import bisect_left
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from avtal.contracts.frozen import Frozen


class IntervalUnit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_DAYS = {IntervalUnit.DAY: 1, IntervalUnit.WEEK: 7}
_MONTHS = {IntervalUnit.MONTH: 1, IntervalUnit.YEAR: 12}
_SECOND = timedelta(seconds=1)
_NOT_PLACES = {"localtime", "Factory"}  # the machine's own zone, and a placeholder in the zone database


class Interval(Frozen):
    unit: IntervalUnit
    count: Annotated[int, Field(strict=True, ge=1, le=999)] = 1


class Period(Frozen):
    number: int
    start: date
    end: date
    """The first day after the period."""

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)


def boundary(anchor: date, interval: Interval, n: int) -> date:
    """The first day of period n, counted from 0 (PER-2)."""
    if n < 0:
        raise ValueError(f"periods are counted from 0, not {n}")
    steps = n * interval.count
    try:
        if interval.unit in _MONTHS:
            return _months_after(anchor, steps * _MONTHS[interval.unit])
        return anchor + timedelta(days=steps * _DAYS[interval.unit])
    except (OverflowError, ValueError) as error:
        raise OverflowError(f"period {n} from {anchor} begins after the calendar's end") from error


def period(anchor: date, interval: Interval, n: int) -> Period:
    return Period(number=n, start=boundary(anchor, interval, n), end=boundary(anchor, interval, n + 1))


def period_of(anchor: date, interval: Interval, day: date) -> Period | None:
    """The period that contains the day; None before the anchor."""
    if day < anchor:
        return None
    n = _number_at_most(anchor, interval, day)
    if boundary(anchor, interval, n) > day:
        n -= 1
    return period(anchor, interval, n)


def local_midnight(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which the civil day begins in the zone (PER-9)."""
    midnight = datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
    instant = midnight.astimezone(UTC)
    if _wall_clock(instant, zone) == midnight.replace(tzinfo=None):
        return instant
    return _end_of_gap(midnight, zone)


def civil_day(instant: datetime, zone: str) -> date:
    """The date on the wall in the zone; an instant without a time zone raises ValueError."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant} is not an instant: it has no time zone")
    return _wall_clock(instant, zone).date()


def is_zone(name: str) -> bool:
    return name in _zones()


def _months_after(anchor: date, months: int) -> date:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    days_in_month = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, days_in_month))


def _number_at_most(anchor: date, interval: Interval, day: date) -> int:
    """The number of the day's period, or one more: of months only the month is compared, not its day."""
    if interval.unit in _MONTHS:
        months = (day.year - anchor.year) * 12 + day.month - anchor.month
        return months // (interval.count * _MONTHS[interval.unit])
    return (day - anchor).days // (interval.count * _DAYS[interval.unit])


def _wall_clock(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _end_of_gap(missing: datetime, zone: str) -> datetime:
    """The first instant at which the wall clock shows more than a local time that it jumps over.

    The offset after the jump (fold 1) puts that time before the jump, the offset before it (fold 0) at or
    after the jump, so the jump lies between the two.
    """
    earliest = missing.replace(fold=1).astimezone(UTC)
    latest = missing.replace(fold=0).astimezone(UTC)
    seconds = range((latest - earliest) // _SECOND + 1)
    wanted = missing.replace(tzinfo=None)
    jump = bisect_left(seconds, True, key=lambda s: _wall_clock(earliest + s * _SECOND, zone) > wanted)
    return earliest + jump * _SECOND


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_PLACES)
