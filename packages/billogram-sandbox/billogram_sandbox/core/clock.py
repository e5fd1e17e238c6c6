"""The movable clock: real time plus an offset kept in the database; and how Billogram writes times."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billogram_sandbox.core.database import Database

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DURATION = r"^([0-9]{1,6})([smhdy])$"
END = datetime(9000, 1, 1, tzinfo=UTC)
"""The clock stays before it, so that whatever is counted in days from there is within the calendar."""
SECONDS = {"s": 1, "m": 60, "h": 3600}


class Clock:
    """The offset is read from the database each time, so a transaction rolled back moves nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: datetime | None = None

    def now(self) -> datetime:
        return self._held or datetime.now(UTC) + timedelta(microseconds=self._database.get("clock_offset_us") or 0)

    def move(self, to: datetime) -> None:
        self._database.put("clock_offset_us", (to - datetime.now(UTC)) // timedelta(microseconds=1))

    @contextmanager
    def held(self, at: datetime) -> Iterator[None]:
        """What falls due at its own instant happens then, however late the clock got there."""
        self._held = at
        try:
            yield
        finally:
            self._held = None

    def reset(self) -> None:
        self._database.put("clock_offset_us", 0)

    def today(self) -> date:
        return civil_day(self.now())


def civil_day(at: datetime) -> date:
    return at.astimezone(STOCKHOLM).date()


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, STOCKHOLM).astimezone(UTC)


def later(now: datetime, duration: str) -> datetime:
    """Days and years are civil ones of Stockholm: they keep the local time; the rest is elapsed time."""
    match = re.fullmatch(DURATION, duration)
    if not match:
        raise ValueError("a duration is a number and one of s, m, h, d, y, such as 30d")
    count, unit = int(match[1]), match[2]
    if unit in SECONDS:
        return now + timedelta(seconds=count * SECONDS[unit])
    local = now.astimezone(STOCKHOLM)
    return (local + timedelta(days=count) if unit == "d" else _years_later(local, count)).astimezone(UTC)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone, such as 2026-03-01T12:00:00Z")
    return at.astimezone(UTC)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _years_later(local: datetime, count: int) -> datetime:
    day = local.day if (local.month, local.day) != (2, 29) else 28
    return local.replace(year=local.year + count, day=day)
