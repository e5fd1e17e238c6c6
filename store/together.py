"""Writes of many in one transaction, so that a burst costs few commits. None waits for company: with nothing under way,
one is written by itself."""

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from store.database import Database

TOGETHER_MAX = 16

Answer = TypeVar("Answer")


class Write(NamedTuple):
    """What is to be done in its caller's context, and whoever waits for its answer. Any: of whatever kind."""

    work: Callable[[Session], Any]
    context: contextvars.Context
    answer: asyncio.Future[Any]


class Together:
    def __init__(self, database: Database, threads: Executor | None = None) -> None:
        self._database = database
        self._threads = threads
        self._waiting: list[Write] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Session], Answer]) -> Answer:
        """What `work` returns, once it is committed. It may be run twice: if one fails, each is done by itself."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(Write(work, contextvars.copy_context(), answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await answer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                results = await asyncio.get_running_loop().run_in_executor(self._threads, self._try, batch)
                for write, result in zip(batch, results, strict=True):
                    if write.answer.done():
                        continue  # its caller was cancelled
                    if isinstance(result, Exception):
                        write.answer.set_exception(result)
                    else:
                        write.answer.set_result(result)
        finally:
            self._writing = None

    def _try(self, batch: Sequence[Write]) -> list[Any]:
        try:
            return self._write(batch)
        except Exception as error:
            if len(batch) == 1:
                return [error]
            return [result for one in batch for result in self._try([one])]

    def _write(self, batch: Sequence[Write]) -> list[Any]:
        with self._database.write() as session:
            return [write.context.run(write.work, session) for write in batch]
