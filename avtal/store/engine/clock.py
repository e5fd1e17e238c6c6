"""The system's clock: real time, and on the embedded stack an offset from it that all processes share."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from avtal.store.engine.database import Database
from avtal.store.tables import ClockRow


class Clock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


OFFSET = sa.select(ClockRow.offset_seconds).where(ClockRow.id == 1)


class TestClock(Clock):
    """The embedded stack's clock. It only moves forward; its target is stored before it moves."""

    __test__ = False  # for pytest: not a test class

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def offset(self) -> timedelta:
        """Without a session, because every request reads it."""
        with self._database.engine.connect() as connection:
            return timedelta(seconds=connection.scalar(OFFSET) or 0.0)

    def target(self) -> datetime | None:
        """The instant that a forward has set and not reached yet."""
        with self._database.read() as session:
            row = session.get(ClockRow, 1)
            return row.target if row else None

    def last_error(self) -> str | None:
        with self._database.read() as session:
            row = session.get(ClockRow, 1)
            return row.last_error if row else None

    def set_target(self, target: datetime) -> None:
        with self._database.write() as session:
            row = session.get(ClockRow, 1) or ClockRow(id=1, offset_seconds=0.0)
            row.target, row.last_error = target, None
            session.add(row)

    def set_offset(self, offset: timedelta) -> None:
        with self._database.write() as session:
            row = session.get(ClockRow, 1) or ClockRow(id=1, target=None)
            row.offset_seconds = offset.total_seconds()
            session.add(row)

    def clear_target(self, last_error: str | None = None) -> None:
        """The forward has reached its target, or was stopped by an error."""
        with self._database.write() as session:
            row = session.get_one(ClockRow, 1)
            row.target, row.last_error = None, last_error
