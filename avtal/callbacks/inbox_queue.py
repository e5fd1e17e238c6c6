"""The inbox as a queue of the relay: leases stored callbacks, and hands each to the recorder."""

import time
from collections.abc import Awaitable, Callable, Hashable, Sequence

from avtal.log_context import log_context
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import (
    StoredCallback,
    callback_backlog,
    claim_callbacks,
    defer_callback,
    release_callbacks,
)
from avtal.store.queues.lease import Backlog, backoff_seconds


class InboxQueue:
    name = "inbox"

    def __init__(self, database: Database, record: Callable[[StoredCallback], Awaitable[None]]) -> None:
        self._database = database
        self._record = record

    def claim(self, now: float, limit: int) -> Sequence[StoredCallback]:
        with self._database.write() as session:
            return claim_callbacks(session, now, limit)

    def key(self, work: StoredCallback) -> Hashable:
        return work.account, work.group_key

    async def process(self, work: StoredCallback) -> None:
        with log_context(work.account):
            await self._record(work)

    def defer(self, work: StoredCallback, last_error: str) -> None:
        with self._database.write() as session:
            defer_callback(session, work, time.time() + backoff_seconds(work.attempts), last_error)

    def release(self, works: Sequence[StoredCallback]) -> None:
        with self._database.write() as session:
            release_callbacks(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return callback_backlog(session, now)
