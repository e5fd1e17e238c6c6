"""The outbox as a queue of the relay: leases messages, hands each to the dispatcher, deletes the dispatched ones."""

import time
from collections.abc import Awaitable, Callable, Hashable, Sequence

from avtal.log_context import log_context
from avtal.store.engine.database import Database
from avtal.store.queues.lease import Backlog, backoff_seconds
from avtal.store.queues.outbox import (
    OutboxMessage,
    claim_messages,
    defer_message,
    delete_messages,
    message_backlog,
    release_messages,
)


class OutboxQueue:
    name = "outbox"

    def __init__(self, database: Database, dispatch: Callable[[OutboxMessage], Awaitable[bool]]) -> None:
        """`dispatch` returns whether Temporal has the message; else it has written what comes next."""
        self._database = database
        self._dispatch = dispatch
        self._dispatched: list[int] = []

    def claim(self, now: float, limit: int) -> Sequence[OutboxMessage]:
        """Also deletes the dispatched messages. If this transaction fails, they are dispatched twice: harmless."""
        dispatched, self._dispatched = self._dispatched, []
        with self._database.write() as session:
            delete_messages(session, dispatched)
            return claim_messages(session, now, limit)

    def key(self, work: OutboxMessage) -> Hashable:
        return work.account, work.contract_id

    async def process(self, work: OutboxMessage) -> None:
        with log_context(work.account, work.contract_id, work.bill_id):
            if await self._dispatch(work):
                self._dispatched.append(work.id)

    def defer(self, work: OutboxMessage, last_error: str) -> None:
        with self._database.write() as session:
            defer_message(session, work, time.time() + backoff_seconds(work.attempts), last_error)

    def release(self, works: Sequence[OutboxMessage]) -> None:
        dispatched, self._dispatched = self._dispatched, []
        with self._database.write() as session:
            delete_messages(session, dispatched)
            release_messages(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return message_backlog(session, now)
