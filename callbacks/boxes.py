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

from observing.subject import about
from store.database import Database
from store.inbox import (
    Backlog,
    StoredCallback,
    callback_backlog,
    claim_callbacks,
    due_callbacks,
    give_callbacks_back,
    lease_callbacks,
    try_callback_later,
)
from store.outbox import Telling, claim_tellings, forget, give_tellings_back, tell_later, telling_backlog

TRY_AGAIN_SECONDS_MAX = 300.0
TOGETHER_MAX = 16
"""So many callbacks in one transaction: more would hold up those that wait to be stored."""
SILENT_SECONDS_MAX = 30.0
LATE_SECONDS_MAX = 60.0

DUE = Gauge("avtal_relay_due_rows", "Rows that are due, by box", ["box"])
OLDEST = Gauge("avtal_relay_oldest_due_seconds", "How long the oldest due row waits for its try, by box", ["box"])


class Records(Protocol):
    def record_together(self, session: Session, due: Sequence[StoredCallback]) -> Sequence[StoredCallback]:
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
                rest = self._records.record_together(session, due)
                leased = lease_callbacks(session, rest, now)
        except Exception:  # whichever it is, it shows when each is recorded by itself
            with self._database.write() as session:
                return claim_callbacks(session, now, limit)
        if len(rest) < len(due):
            self._records.committed()
        self.has_more = len(due) == TOGETHER_MAX
        return leased

    def key(self, work: StoredCallback) -> Hashable:
        return work.account, work.subject

    async def carry_out(self, work: StoredCallback) -> None:
        with about(work.account):
            await self._records.record(work)

    def put_off(self, work: StoredCallback, trouble: str) -> None:
        with self._database.write() as session:
            try_callback_later(session, work, time.time() + patience(work.attempts), trouble)

    def give_back(self, works: Sequence[StoredCallback]) -> None:
        with self._database.write() as session:
            give_callbacks_back(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return callback_backlog(session, now)


class Outbox:
    name = "outbox"
    has_more = False

    def __init__(self, database: Database, tell: Callable[[Telling], Awaitable[bool]]) -> None:
        self._database = database
        self._tell = tell
        self._told: list[int] = []

    def claim(self, now: float, limit: int) -> Sequence[Telling]:
        """In the same transaction what was told is deleted; if that fails, it is told again, which does no harm."""
        told, self._told = self._told, []
        with self._database.write() as session:
            return claim_tellings(session, now, limit, told)

    def key(self, work: Telling) -> Hashable:
        return work.account, work.contract_id

    async def carry_out(self, work: Telling) -> None:
        with about(work.account, work.contract_id, work.bill_id):
            if await self._tell(work):
                self._told.append(work.id)

    def put_off(self, work: Telling, trouble: str) -> None:
        with self._database.write() as session:
            tell_later(session, work, time.time() + patience(work.attempts), trouble)

    def give_back(self, works: Sequence[Telling]) -> None:
        told, self._told = self._told, []
        with self._database.write() as session:
            forget(session, told)
            give_tellings_back(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return telling_backlog(session, now)


def patience(attempts: int) -> float:
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
