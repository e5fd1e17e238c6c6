"""Writes of many in one transaction, so that a burst costs few commits. None waits for company: with nothing under way,
one is written at once. Who holds many locks waits for none: if a batch fails, each is written by itself.

What is of one kind can be written at once, with few questions however many they are (`submit_batched`)."""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from avtal.store.engine.database import Database

TOGETHER_MAX = 16
LOCK_TIMEOUT_SECONDS = 0.2
"""Longer than another batch holds them. Whoever wants what we hold, and holds what we want, then goes first."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Write(NamedTuple):
    """What is done for all items of its kind, one of them, and who waits for its answer. Any: of whatever kind."""

    work: Callable[[Session, Sequence[Any]], Sequence[Any]]
    item: Any
    answer: asyncio.Future[Any]


class GroupCommit:
    def __init__(self, database: Database, threads: Executor | None = None) -> None:
        self._database = database
        self._threads = threads
        self._waiting: list[Write] = []
        self._writing: asyncio.Task[None] | None = None

    async def submit(self, work: Callable[[Session], Answer]) -> Answer:
        """What `work` returns, once it is committed; done in the caller's context. If it fails, it is done once more
        before its error is raised."""
        return await self.submit_batched(_each, (contextvars.copy_context(), work))

    async def submit_batched(self, work: Callable[[Session, Sequence[Item]], Sequence[Answer]], item: Item) -> Answer:
        """What `work` returns for this item, once it is committed. It has all items that go with the same `work`. If it
        fails, it is done once more for each of them."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(Write(work, item, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await answer

    async def _write_all(self) -> None:
        async with asyncio.TaskGroup() as alone:
            while self._waiting:
                batch, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                try:
                    await self._write(batch, LOCK_TIMEOUT_SECONDS)
                except Exception:  # whichever it is, it shows when each is written by itself
                    for one in batch:
                        alone.create_task(self._write_alone(one))
            self._writing = None

    async def _write_alone(self, one: Write) -> None:
        try:
            await self._write([one])
        except Exception as error:
            if not one.answer.done():
                one.answer.set_exception(error)

    async def _write(self, batch: Sequence[Write], lock_timeout_seconds: float | None = None) -> None:
        def write() -> list[tuple[Write, Any]]:
            with self._database.write(lock_timeout_seconds) as session:
                return [
                    written
                    for work, of_kind in kinds.items()
                    for written in zip(of_kind, work(session, [one.item for one in of_kind]), strict=True)
                ]

        kinds: dict[Callable[[Session, Sequence[Any]], Sequence[Any]], list[Write]] = defaultdict(list)
        for one in batch:
            kinds[one.work].append(one)
        for one, result in await asyncio.get_running_loop().run_in_executor(self._threads, write):
            if not one.answer.done():  # else its caller was cancelled
                one.answer.set_result(result)


def _each(
    session: Session, works: Sequence[tuple[contextvars.Context, Callable[[Session], Answer]]]
) -> Sequence[Answer]:
    return [context.run(work, session) for context, work in works]
