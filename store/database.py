"""The database: one engine, and the two ways to use it. One `with` is one transaction; nothing commits half."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from store.events import write_events

BUSY_SECONDS = 30


class Database:
    """Made once per process by a composition root. `close()` it at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        is_sqlite = url.startswith("sqlite")
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False} if is_sqlite else {}
        # Parameters hold readers' data, and an error's text may end in a log or a history.
        self.engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, pool_size=20, max_overflow=20)
        if is_sqlite:
            _prepare_sqlite(self.engine)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may change rows, and tells what it has changed. On SQLite it holds the write lock from its
        beginning."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin() as transaction:
            session.connection(execution_options={"avtal_write": True})
            yield session
            if transaction.is_active:
                write_events(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing, and waits for no writer."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

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
