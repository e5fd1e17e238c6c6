"""The database: one engine, and the two ways to use it. One `with` is one transaction; nothing commits half."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from store.events import write_events

BUSY_SECONDS = 30
SWITCH_SECONDS = 0.0005
"""A thread that comes back from the database waits no longer for the interpreter, and with it all who wait for its
locks. By default it is ten times so long, several times in each transaction."""

_LOCKS_WITHIN = sa.text("SELECT set_config('lock_timeout', :milliseconds, true)")


class _Session(Session):
    """Holds what it has read until it ends, so that a row which is asked for twice is read once."""


@sa.event.listens_for(_Session, "loaded_as_persistent")
def _hold(session: Session, row: object) -> None:
    session.info.setdefault("read", []).append(row)


class Database:
    """Made once per process by a composition root. `close()` it at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        sys.setswitchinterval(SWITCH_SECONDS)
        is_sqlite = url.startswith("sqlite")
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False} if is_sqlite else {}
        # Parameters hold readers' data, and an error's text may end in a log or a history.
        self.engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, pool_size=40, max_overflow=20)
        file = self.engine.url.database
        self._queue = Path(f"{file}-queue") if is_sqlite and file else None
        if is_sqlite:
            _prepare_sqlite(self.engine)

    @contextmanager
    def write(self, locks_within: float | None = None) -> Iterator[Session]:
        """A transaction that may change rows, and tells what it has changed. On SQLite it holds the write lock from its
        beginning. Raises OperationalError on PostgreSQL, if it waits for a lock for more than so many seconds."""
        with self._turn(), _Session(self.engine, expire_on_commit=False) as session, session.begin() as transaction:
            connection = session.connection(execution_options={"avtal_write": True})
            if locks_within is not None and connection.dialect.name == "postgresql":
                connection.execute(_LOCKS_WITHIN, {"milliseconds": f"{locks_within * 1000:.0f}"})
            yield session
            if transaction.is_active:
                write_events(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing, and waits for no writer."""
        with _Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite lets all writers but one sleep and try again. Here those of all processes queue, and wake at once."""
        if self._queue is None:
            yield
            return
        with self._queue.open("ab") as queue:
            fcntl.flock(queue, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        # The driver's own BEGIN comes too late to take the write lock; ours below does.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        is_write = connection.get_execution_options().get("avtal_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
