"""The relay's engine: takes stored work as it falls due, and works on many pieces at once until nothing is left.

A piece that waits, for a silent platform or for Temporal, holds up no other. What another process has queued is found
within `LOOK_SECONDS`. Stopped, it finishes what it can, and gives the rest back at once.
"""

import asyncio
import logging
import time
from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from prometheus_client import Counter

LOOK_SECONDS = 0.5
AT_ONCE_MAX = 40
FREE_MIN = 8
"""It looks for so much at least: under load one look into the store finds work for many."""
FINISHES_WITHIN_SECONDS = 3.0

FAILED = Counter("avtal_relay_failed_tries", "Tries that did not succeed, by box and reason", ["box", "reason"])

Work = TypeVar("Work")
logger = logging.getLogger(__name__)


class Box(Protocol[Work]):
    """Where work is stored. But for `process`, all of it may wait for the store, and runs in a thread."""

    name: str
    has_more: bool
    """Whether the last claim did work of its own, and may have left some: then it is asked again at once."""

    def claim(self, now: float, limit: int) -> Sequence[Work]:
        """Leases what is due at a real time, at most so many."""

    def key(self, work: Work) -> Hashable:
        """Works of one key are done one after the other."""

    async def process(self, work: Work) -> None:
        """Settles in the store what becomes of it. Raises only by a mistake of ours."""

    def defer(self, work: Work, last_error: str) -> None:
        """Tried again later, and the longer the more often it was tried."""

    def release(self, works: Sequence[Work]) -> None:
        """Ends the leases of what was not done; the last that a relay asks of its box."""


class Relay(Generic[Work]):
    def __init__(self, box: Box[Work], at_once_max: int = AT_ONCE_MAX) -> None:
        self._box = box
        self._at_once_max = at_once_max
        self._under_way: dict[asyncio.Task[None], Work] = {}
        self._newest: dict[Hashable, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._is_blind = False
        self.looked_at = 0.0
        """Real time of the last look into the store that went well: a relay that works looks often."""

    def wake(self) -> None:
        """From any thread: there is something to do."""
        self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """`run` returns soon, and leaves nothing leased."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Until `stop()`."""
        try:
            while not self._stopping:
                self._woken.clear()
                await self._look()
                # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the wake.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()
        finally:
            await self._finish()

    async def _look(self) -> None:
        free = self._at_once_max - len(self._under_way)
        if free < FREE_MIN:
            return
        try:
            due = await asyncio.to_thread(self._box.claim, time.time(), free)
        except Exception:
            if not self._is_blind:
                logger.exception("the %s can't be read; the relay goes on looking", self._box.name)
            self._is_blind = True
            return
        if self._is_blind:
            logger.warning("the %s can be read again", self._box.name)
        self._is_blind = False
        self.looked_at = time.time()
        for work in due:
            self._begin(work)
        if self._box.has_more:
            self._woken.set()

    def _begin(self, work: Work) -> None:
        key = self._box.key(work)
        task = asyncio.create_task(self._carry_out(work, self._newest.get(key)))
        self._newest[key] = task
        self._under_way[task] = work
        task.add_done_callback(lambda done: self._end(key, done))

    def _end(self, key: Hashable, done: asyncio.Task[None]) -> None:
        self._under_way.pop(done, None)
        if self._newest.get(key) is done:
            del self._newest[key]
        self._woken.set()

    async def _carry_out(self, work: Work, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            await self._box.process(work)
        except Exception as error:
            kind = type(error).__name__
            logger.exception("a piece of work of the %s failed by our own mistake; it is put off", self._box.name)
            FAILED.labels(self._box.name, kind).inc()
            last_error = f"a mistake of ours ({kind}); the log of the web process tells more"
            await asyncio.to_thread(self._box.defer, work, last_error)

    async def _finish(self) -> None:
        """What is cancelled here is still stored, and free for another process at once."""
        unfinished: set[asyncio.Task[None]] = set()
        if self._under_way:
            _, unfinished = await asyncio.wait([*self._under_way], timeout=FINISHES_WITHIN_SECONDS)
        works = [self._under_way[task] for task in unfinished]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if works:
            logger.info("the %s gives %d pieces of work back", self._box.name, len(works))
        await asyncio.to_thread(self._box.release, works)
