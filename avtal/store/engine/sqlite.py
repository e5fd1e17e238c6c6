"""SQLite only: transactions that take the write lock when they begin, and a queue of writers across processes."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa

BUSY_SECONDS = 30
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def create_engine(url: str) -> sa.Engine:
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, pool_size=40, max_overflow=20)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # Any: the driver's own connection
        # The driver's own BEGIN would take the write lock too late; `_on_begin` sends another.
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        is_write = connection.get_execution_options().get("avtal_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def write_queue(engine: sa.Engine) -> Callable[[], AbstractContextManager[None]]:
    """Returns the context in which a write transaction runs.

    SQLite lets a second writer sleep and poll. With a lock on a file beside the database, the writers of all processes
    queue instead, and the next one starts immediately.
    """
    file = engine.url.database
    if not file:
        return nullcontext
    path = Path(f"{file}-queue")

    @contextmanager
    def queued() -> Iterator[None]:
        with path.open("ab") as queue:
            fcntl.flock(queue, fcntl.LOCK_EX)
            yield

    return queued
