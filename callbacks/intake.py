"""What comes from Billogram is made durable: each callback at once, or with all that came while others were stored.

So a burst costs few transactions, and none waits for company: with nothing under way, one is stored by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from store.clock import Clock
from store.database import Database
from store.inbox import CallbackKey, NewCallback, store_callbacks


class Intake:
    """`wake` tells the relay that there is something to do."""

    def __init__(self, database: Database, clock: Clock, threads: Executor, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._threads = threads
        self._wake = wake
        self._turn = asyncio.Lock()
        self._waiting: dict[CallbackKey, NewCallback] = {}
        self._stored: asyncio.Task[set[CallbackKey]] | None = None
        """Will have stored those that wait, and tells which were new."""

    async def store(self, callback: NewCallback) -> bool:
        """Durable when this returns. False for one that is stored already."""
        if self._stored is None:
            self._stored = asyncio.create_task(self._store_next())
        is_first = self._waiting.setdefault(callback.key, callback) is callback
        new = await asyncio.shield(self._stored)
        return is_first and callback.key in new

    async def _store_next(self) -> set[CallbackKey]:
        async with self._turn:
            callbacks, self._waiting, self._stored = [*self._waiting.values()], {}, None
            loop = asyncio.get_running_loop()
            new = await loop.run_in_executor(self._threads, self._store, callbacks)
        if new:
            self._wake()
        return new

    def _store(self, callbacks: Sequence[NewCallback]) -> set[CallbackKey]:
        received_at = self._clock.now()
        with self._database.write() as session:
            return store_callbacks(session, callbacks, received_at)
