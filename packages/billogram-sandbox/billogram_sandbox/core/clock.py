"""The movable clock, real time plus an offset in the database; and Billogram's time formats."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billogram_sandbox.core.database import Database

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DURATION = r"^([0-9]{1,6})([smhdy])$"
CLOCK_END = datetime(9000, 1, 1, tzinfo=UTC)
"""The clock stays before it: dates counted in days from there are still valid."""
SECONDS = {"s": 1, "m": 60, "h": 3600}


class Clock:
    """The offset is read from the database each time, so a rollback undoes a move."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._frozen_at: datetime | None = None

    def now(self) -> datetime:
        return self._frozen_at or datetime.now(UTC) + timedelta(microseconds=self._database.get("clock_offset_us") or 0)

    def move(self, to: datetime) -> None:
        self._database.put("clock_offset_us", (to - datetime.now(UTC)) // timedelta(microseconds=1))

    @contextmanager
    def frozen(self, at: datetime) -> Iterator[None]:
        """Runs what was due at an instant at that instant."""
        self._frozen_at = at
        try:
            yield
        finally:
            self._frozen_at = None

    def reset(self) -> None:
        self._database.put("clock_offset_us", 0)

    def today(self) -> date:
        return civil_day(self.now())


def civil_day(at: datetime) -> date:
    return at.astimezone(STOCKHOLM).date()


def start_of_day(day: date) -> datetime:
    return datetime.combine(day, time.min, STOCKHOLM).astimezone(UTC)


def advanced(now: datetime, duration: str) -> datetime:
    """Days and years are civil, in Stockholm, and keep the local time. Other units are elapsed time."""
    match = re.fullmatch(DURATION, duration)
    if not match:
        raise ValueError("a duration is a number and one of s, m, h, d, y, such as 30d")
    count, unit = int(match[1]), match[2]
    if unit in SECONDS:
        return now + timedelta(seconds=count * SECONDS[unit])
    local = now.astimezone(STOCKHOLM)
    return (local + timedelta(days=count) if unit == "d" else _years_later(local, count)).astimezone(UTC)


def format_instant(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone, such as 2026-03-01T12:00:00Z")
    return at.astimezone(UTC)


def format_timestamp(at: datetime) -> str:
    """As most of Billogram's API writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _years_later(local: datetime, count: int) -> datetime:
    day = local.day if (local.month, local.day) != (2, 29) else 28
    return local.replace(year=local.year + count, day=day)
