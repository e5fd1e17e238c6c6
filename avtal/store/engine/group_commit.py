"""Commits concurrent writes in batches, so that a burst costs few commits.

A write waits for no batch to fill: if none is in flight, it starts immediately. A batch waits only briefly for locks,
because it holds many; if it fails, each of its writes is repeated alone. Writes of one kind can share their statements
(`submit_batched`).
"""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from avtal.store.engine.database import Database

BATCH_MAX = 16
LOCK_TIMEOUT_SECONDS = 0.2
"""Longer than another batch holds its locks. After it, a transaction that holds and wants locks in the other order goes
first."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Write(NamedTuple):
    """One item, the work for all items of its kind, and the future of its result. Any: each kind has its own types."""

    work: Callable[[Session, Sequence[Any]], Sequence[Any]]
    item: Any
    result: asyncio.Future[Any]


class GroupCommit:
    def __init__(self, database: Database, threads: Executor | None = None) -> None:
        """Writes in `threads`; without them, in the event loop's default executor."""
        self._database = database
        self._threads = threads
        self._queued: list[Write] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, work: Callable[[Session], Result]) -> Result:
        """Returns what `work` returns, once it is committed. `work` runs in the caller's context. If the batch fails,
        it runs once more, alone; then its error is raised."""
        return await self.submit_batched(_each, (contextvars.copy_context(), work))

    async def submit_batched(self, work: Callable[[Session, Sequence[Item]], Sequence[Result]], item: Item) -> Result:
        """Returns what `work` returns for this item, once it is committed. `work` gets all items of the batch that were
        submitted with it. If the batch fails, it runs once more for each item alone."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queued.append(Write(work, item, result))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_batches())
        return await result

    async def _write_batches(self) -> None:
        async with asyncio.TaskGroup() as retries:
            while self._queued:
                batch, self._queued = self._queued[:BATCH_MAX], self._queued[BATCH_MAX:]
                try:
                    await self._write(batch, LOCK_TIMEOUT_SECONDS)
                except Exception:  # any error: it is raised by the write that caused it
                    for one in batch:
                        retries.create_task(self._write_alone(one))
            self._writer = None

    async def _write_alone(self, one: Write) -> None:
        try:
            await self._write([one])
        except Exception as error:
            if not one.result.done():
                one.result.set_exception(error)

    async def _write(self, batch: Sequence[Write], lock_timeout_seconds: float | None = None) -> None:
        def write() -> list[tuple[Write, Any]]:
            with self._database.write(lock_timeout_seconds) as session:
                return [
                    written
                    for work, writes in kinds.items()
                    for written in zip(writes, work(session, [one.item for one in writes]), strict=True)
                ]

        kinds: dict[Callable[[Session, Sequence[Any]], Sequence[Any]], list[Write]] = defaultdict(list)
        for one in batch:
            kinds[one.work].append(one)
        for one, result in await asyncio.get_running_loop().run_in_executor(self._threads, write):
            if not one.result.done():  # else its caller was cancelled
                one.result.set_result(result)


def _each(
    session: Session, works: Sequence[tuple[contextvars.Context, Callable[[Session], Result]]]
) -> Sequence[Result]:
    return [context.run(work, session) for context, work in works]
