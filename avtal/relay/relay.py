"""The relay's engine: claims work from a queue as it falls due, and processes many items concurrently.

An item that waits, for a slow platform or for Temporal, does not delay others. Work that another process queued is
found within `POLL_SECONDS`. When stopped, it finishes what it can and releases the rest.
"""

import asyncio
import logging
import time
from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from avtal.store.queues.lease import FAILED_ATTEMPTS

POLL_SECONDS = 0.5
CONCURRENCY_MAX = 40
CLAIM_MIN = 8
"""It claims no less than this: under load, one statement then finds work for many."""
SHUTDOWN_SECONDS_MAX = 3.0

Work = TypeVar("Work")
logger = logging.getLogger(__name__)


class Queue(Protocol[Work]):
    """Stored work. All methods but `process` may wait for the store, and run in a thread."""

    name: str

    def claim(self, now: float, limit: int) -> Sequence[Work]:
        """Leases at most `limit` items that are due. `now` is real time."""

    def key(self, work: Work) -> Hashable:
        """Items of the same key are processed one after the other."""

    async def process(self, work: Work) -> None:
        """Writes the outcome to the store. Raises only by an internal error."""

    def defer(self, work: Work, last_error: str) -> None:
        """Retried later; the wait grows with the number of attempts."""

    def release(self, works: Sequence[Work]) -> None:
        """Ends the leases of unprocessed work. A relay's last call."""


class Relay(Generic[Work]):
    def __init__(self, queue: Queue[Work], concurrency_max: int = CONCURRENCY_MAX) -> None:
        self._queue = queue
        self._concurrency_max = concurrency_max
        self._in_flight: dict[asyncio.Task[None], Work] = {}
        self._newest: dict[Hashable, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._polls_fail = False
        self.last_polled_at = 0.0
        """Real time of the last successful poll: a healthy relay polls often."""

    def wake(self) -> None:
        """Polls without waiting for the next interval. From any thread."""
        self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """`run` returns soon, and leaves nothing leased."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Until stopped or cancelled."""
        try:
            while not self._stopping:
                self._woken.clear()
                await self._poll()
                # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the wake.
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._woken.wait()
        finally:
            await self._shut_down()

    async def _poll(self) -> None:
        free = self._concurrency_max - len(self._in_flight)
        if free < CLAIM_MIN:
            return
        try:
            due = await asyncio.to_thread(self._queue.claim, time.time(), free)
        except Exception:
            if not self._polls_fail:
                logger.exception("the %s can't be read; the relay keeps polling", self._queue.name)
            self._polls_fail = True
            return
        if self._polls_fail:
            logger.warning("the %s can be read again", self._queue.name)
        self._polls_fail = False
        self.last_polled_at = time.time()
        for work in due:
            self._start(work)

    def _start(self, work: Work) -> None:
        key = self._queue.key(work)
        task = asyncio.create_task(self._process(work, self._newest.get(key)))
        self._newest[key] = task
        self._in_flight[task] = work
        task.add_done_callback(lambda done: self._end(key, done))

    def _end(self, key: Hashable, done: asyncio.Task[None]) -> None:
        self._in_flight.pop(done, None)
        if self._newest.get(key) is done:
            del self._newest[key]
        self._woken.set()

    async def _process(self, work: Work, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            await self._queue.process(work)
        except Exception as error:
            kind = type(error).__name__
            logger.exception("an internal error in the %s; the work is deferred", self._queue.name)
            FAILED_ATTEMPTS.labels(self._queue.name, kind).inc()
            last_error = f"an internal error ({kind}); see the log of the web process"
            await asyncio.to_thread(self._queue.defer, work, last_error)

    async def _shut_down(self) -> None:
        """What is cancelled here stays stored, and free for another process."""
        unfinished: set[asyncio.Task[None]] = set()
        if self._in_flight:
            _, unfinished = await asyncio.wait([*self._in_flight], timeout=SHUTDOWN_SECONDS_MAX)
        works = [self._in_flight[task] for task in unfinished]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if works:
            logger.info("the %s releases %d unfinished items", self._queue.name, len(works))
        await asyncio.to_thread(self._queue.release, works)
