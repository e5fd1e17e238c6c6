"""The two boxes of the relay on the store: the inbox of callbacks, and the outbox of what Temporal must be told.

How full they are is a figure, and part of whether a web process is ready.
"""

import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from avtal.log_context import log_context
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import (
    Backlog,
    StoredCallback,
    callback_backlog,
    claim_callbacks,
    defer_callback,
    due_callbacks,
    lease_callbacks,
    release_callbacks,
)
from avtal.store.queues.outbox import (
    OutboxMessage,
    claim_messages,
    defer_message,
    forget,
    message_backlog,
    release_messages,
)

TRY_AGAIN_SECONDS_MAX = 300.0
TOGETHER_MAX = 16
"""So many callbacks in one transaction: more would hold up those that wait to be stored."""
SILENT_SECONDS_MAX = 30.0
LATE_SECONDS_MAX = 60.0

DUE = Gauge("avtal_relay_due_rows", "Rows that are due, by box", ["box"])
OLDEST = Gauge("avtal_relay_oldest_due_seconds", "How long the oldest due row waits for its try, by box", ["box"])


class Records(Protocol):
    def record_batch(self, session: Session, due: Sequence[StoredCallback]) -> Sequence[StoredCallback]:
        """In the caller's transaction; returned is what must be recorded by itself."""

    def committed(self) -> None:
        """What was recorded together is there to be told."""

    async def record(self, stored: StoredCallback) -> None: ...


class Inbox:
    """Most callbacks are recorded while they are taken, many in one transaction; only the others are leased."""

    name = "inbox"

    def __init__(self, database: Database, records: Records) -> None:
        self.has_more = False
        self._database = database
        self._records = records

    def claim(self, now: float, limit: int) -> Sequence[StoredCallback]:
        self.has_more = False
        try:
            with self._database.write() as session:
                due = due_callbacks(session, now, TOGETHER_MAX)
                rest = self._records.record_batch(session, due)
                leased = lease_callbacks(session, rest, now)
        except Exception:  # whichever it is, it shows when each is recorded by itself
            with self._database.write() as session:
                return claim_callbacks(session, now, limit)
        if len(rest) < len(due):
            self._records.committed()
        self.has_more = len(due) == TOGETHER_MAX
        return leased

    def key(self, work: StoredCallback) -> Hashable:
        return work.account, work.group_key

    async def process(self, work: StoredCallback) -> None:
        with log_context(work.account):
            await self._records.record(work)

    def defer(self, work: StoredCallback, last_error: str) -> None:
        with self._database.write() as session:
            defer_callback(session, work, time.time() + backoff_seconds(work.attempts), last_error)

    def release(self, works: Sequence[StoredCallback]) -> None:
        with self._database.write() as session:
            release_callbacks(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return callback_backlog(session, now)


class Outbox:
    name = "outbox"
    has_more = False

    def __init__(self, database: Database, tell: Callable[[OutboxMessage], Awaitable[bool]]) -> None:
        self._database = database
        self._tell = tell
        self._told: list[int] = []

    def claim(self, now: float, limit: int) -> Sequence[OutboxMessage]:
        """In the same transaction what was told is deleted; if that fails, it is told again, which does no harm."""
        told, self._told = self._told, []
        with self._database.write() as session:
            return claim_messages(session, now, limit, told)

    def key(self, work: OutboxMessage) -> Hashable:
        return work.account, work.contract_id

    async def process(self, work: OutboxMessage) -> None:
        with log_context(work.account, work.contract_id, work.bill_id):
            if await self._tell(work):
                self._told.append(work.id)

    def defer(self, work: OutboxMessage, last_error: str) -> None:
        with self._database.write() as session:
            defer_message(session, work, time.time() + backoff_seconds(work.attempts), last_error)

    def release(self, works: Sequence[OutboxMessage]) -> None:
        told, self._told = self._told, []
        with self._database.write() as session:
            forget(session, told)
            release_messages(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return message_backlog(session, now)


def backoff_seconds(attempts: int) -> float:
    """Seconds until the next try."""
    return min(2.0 ** min(attempts, 20), TRY_AGAIN_SECONDS_MAX)


def relay_trouble(silent_seconds: float, backlogs: Mapping[str, Backlog]) -> str | None:
    """What keeps the relay from being ready, in words that stay the same while it lasts."""
    if silent_seconds > SILENT_SECONDS_MAX:
        return "does not look for work"
    late = [name for name, backlog in backlogs.items() if backlog.oldest_seconds > LATE_SECONDS_MAX]
    return f"is more than {LATE_SECONDS_MAX:.0f} s late with work of the {' and the '.join(late)}" if late else None


class Measured(Protocol):
    @property
    def name(self) -> str: ...
    def backlog(self, now: float) -> Backlog: ...


def measure(boxes: Sequence[Measured]) -> None:
    """Sets the figures to what the store says now; to NaN, which is no figure, if it says nothing."""
    for box in boxes:
        rows = oldest_seconds = float("nan")
        with suppress(SQLAlchemyError):
            rows, oldest_seconds = box.backlog(time.time())
        DUE.labels(box.name).set(rows)
        OLDEST.labels(box.name).set(oldest_seconds)
