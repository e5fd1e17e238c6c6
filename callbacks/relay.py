"""The relay's engine: takes stored work as it falls due, and works on many pieces at once until nothing is left.

A piece that waits, for a silent platform or for Temporal, holds up no other. What another process has queued is found
within `LOOK_SECONDS`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

LOOK_SECONDS = 0.5
AT_ONCE_MAX = 40
FREE_MIN = 8
"""It looks for so much at least: under load one look into the store finds work for many."""

Work = TypeVar("Work")
logger = logging.getLogger(__name__)


class Relay(Generic[Work]):
    """`fetch` leases what is due at a real time, at most so many; works of one `key` are done one after the other;
    `do` carries one out, and settles in the store what becomes of it."""

    def __init__(
        self,
        fetch: Callable[[float, int], Sequence[Work]],
        key: Callable[[Work], Hashable],
        do: Callable[[Work], Awaitable[None]],
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._do = do
        self._under_way: set[asyncio.Task[None]] = set()
        self._newest: dict[Hashable, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.looked_at = 0.0
        """Real time of the last look into the store that went well: a relay that works looks often."""

    def wake(self) -> None:
        """From any thread: there is something to do."""
        self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Until cancelled; what is under way then is cancelled too, and stays stored."""
        try:
            while True:
                self._woken.clear()
                await self._look()
                try:
                    await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
                except TimeoutError:
                    continue
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _look(self) -> None:
        free = AT_ONCE_MAX - len(self._under_way)
        if free < FREE_MIN:
            return
        fetching = asyncio.ensure_future(asyncio.to_thread(self._fetch, time.time(), free))
        try:
            due = await asyncio.shield(fetching)
        except asyncio.CancelledError:
            await asyncio.gather(fetching, return_exceptions=True)  # its transaction ends before the store is closed
            raise
        except Exception:
            logger.exception("the store can't be read; the relay looks again")
            return
        self.looked_at = time.time()
        for work in due:
            self._begin(work)

    def _begin(self, work: Work) -> None:
        key = self._key(work)
        task = asyncio.create_task(self._carry_out(work, self._newest.get(key)))
        self._newest[key] = task
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._end(key, done))

    def _end(self, key: Hashable, done: asyncio.Task[None]) -> None:
        self._under_way.discard(done)
        if self._newest.get(key) is done:
            del self._newest[key]
        self._woken.set()

    async def _carry_out(self, work: Work, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            await self._do(work)
        except Exception:
            logger.exception("a piece of work failed; it stays stored, and is leased again later")
