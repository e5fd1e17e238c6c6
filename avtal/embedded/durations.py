"""Parses durations like `30d` and civil dates, in Stockholm's calendar."""

import re
from datetime import date, datetime, timedelta

from avtal.contracts.periods import Interval, IntervalUnit, boundary, civil_day, local_midnight

ZONE = "Europe/Stockholm"
DURATION = re.compile(r"(\d{1,6})([smhdwy])")
FIXED = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}
CIVIL = {"d": IntervalUnit.DAY, "w": IntervalUnit.WEEK, "y": IntervalUnit.YEAR}


def add_duration(now: datetime, duration: str) -> datetime:
    """Days, weeks, and years keep the local time of day. Raises ValueError."""
    match = DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a duration; write it like 12h, 30d, 6w, or 2y")
    count, unit = int(match[1]), match[2]
    if unit in FIXED:
        return now + count * FIXED[unit]
    today = civil_day(now, ZONE)
    since_midnight = now - local_midnight(today, ZONE)
    try:
        day = boundary(today, Interval(unit=CIVIL[unit]), count)
    except OverflowError as error:
        raise ValueError(f"{duration!r} is beyond the last date of the calendar") from error
    return local_midnight(day, ZONE) + since_midnight


def start_of_day(day: str) -> datetime:
    """The first instant of a civil day. Raises ValueError."""
    try:
        return local_midnight(date.fromisoformat(day), ZONE)
    except ValueError as error:
        raise ValueError(f"{day!r} is not a date; write it like 2027-03-31") from error
