"""What time it is: real time in production, and on the embedded stack real time plus one offset that all share."""

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
    """The embedded stack's clock. It only moves forward; where it was told to go is stored before it goes there."""

    __test__ = False  # no test class, whatever pytest makes of the name

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def offset(self) -> timedelta:
        """Asked for with every request, and so without a session."""
        with self._database.engine.connect() as connection:
            return timedelta(seconds=connection.scalar(OFFSET) or 0.0)

    def target(self) -> datetime | None:
        """The instant that a forward has asked for and that is not reached yet."""
        with self._database.read() as session:
            row = session.get(ClockRow, 1)
            return row.target if row else None

    def last_error(self) -> str | None:
        with self._database.read() as session:
            row = session.get(ClockRow, 1)
            return row.last_error if row else None

    def aim(self, target: datetime) -> None:
        with self._database.write() as session:
            row = session.get(ClockRow, 1) or ClockRow(id=1, offset_seconds=0.0)
            row.target, row.last_error = target, None
            session.add(row)

    def move(self, offset: timedelta) -> None:
        with self._database.write() as session:
            row = session.get(ClockRow, 1) or ClockRow(id=1, target=None)
            row.offset_seconds = offset.total_seconds()
            session.add(row)

    def arrive(self, last_error: str | None = None) -> None:
        """The forward is over: at its target, or stopped by `trouble`."""
        with self._database.write() as session:
            row = session.get_one(ClockRow, 1)
            row.target, row.last_error = None, last_error
