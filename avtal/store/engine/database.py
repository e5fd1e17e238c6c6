"""One engine with read and write transactions. One `with` is one transaction: it commits as a whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import sqlalchemy as sa
from sqlalchemy.orm import Session

POOL_SIZE, POOL_OVERFLOW_MAX = 40, 20
IDS_PER_STATEMENT_MAX = 500
"""Databases limit the parameters of a statement. Longer lists are split by the caller."""
_LOCK_TIMEOUT = sa.text("SELECT set_config('lock_timeout', :milliseconds, true)")

BeforeCommit = Callable[[Session], None]


class _Session(Session):
    """Keeps strong references to loaded rows: a session's own are weak, and a row would be read twice."""


@sa.event.listens_for(_Session, "loaded_as_persistent")
def _keep_reference(session: Session, row: object) -> None:
    session.info.setdefault("loaded", []).append(row)


class Database:
    """One per process, opened by `open_store`. Call `close()` at the end."""

    def __init__(self, url: str, before_commit: BeforeCommit | None = None) -> None:
        """`before_commit` is called at the end of each write transaction."""
        self.url = url
        self._before_commit = before_commit
        self._write_queue: Callable[[], AbstractContextManager[None]] = nullcontext
        if url.startswith("sqlite"):
            from avtal.store.engine import sqlite  # noqa: PLC0415 - needs fcntl, which PostgreSQL does not

            self.engine = sqlite.create_engine(url)
            self._write_queue = sqlite.write_queue(self.engine)
        else:
            # Parameters hold personal data, and the text of an error may reach a log or a history.
            self.engine = sa.create_engine(
                url, hide_parameters=True, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW_MAX
            )

    @contextmanager
    def write(self, lock_timeout_seconds: float | None = None) -> Iterator[Session]:
        """A transaction that may change rows. On SQLite it holds the write lock from the start. On PostgreSQL it raises
        OperationalError if it waits for a lock for longer than `lock_timeout_seconds`."""
        with (
            self._write_queue(),
            _Session(self.engine, expire_on_commit=False) as session,
            session.begin() as transaction,
        ):
            connection = session.connection(execution_options={"avtal_write": True})
            if lock_timeout_seconds is not None and connection.dialect.name == "postgresql":
                connection.execute(_LOCK_TIMEOUT, {"milliseconds": f"{lock_timeout_seconds * 1000:.0f}"})
            yield session
            if transaction.is_active and self._before_commit is not None:
                self._before_commit(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing. It does not wait for writers."""
        with _Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()
