"""A callback is stored at once if nothing is under way; what comes while others are stored goes together next."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa

from callbacks.intake import Intake
from store.clock import Clock
from store.database import Database
from store.inbox import NewCallback
from store.schema import CallbackRow
from tests.store.making import ACCOUNT, NOW, new_store


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    database = new_store(store_url)
    yield database
    database.close()


class Gate(Clock):
    """Whoever stores asks the time first, and waits here for `open`."""

    def __init__(self) -> None:
        self.came, self.open, self.fails = threading.Event(), threading.Event(), False

    def now(self) -> datetime:
        self.came.set()
        assert self.open.wait(20)
        if self.fails:
            raise ZeroDivisionError
        return NOW


class Door:
    """An intake of which the first batch is held up, and how often it commits and wakes the relay."""

    def __init__(self, database: Database) -> None:
        self.gate, self.wakes, self.commits = Gate(), 0, 0
        self._intake = Intake(database, self.gate, ThreadPoolExecutor(1), self._wake)
        sa.event.listen(database.engine, "commit", self._commit)

    async def bring(self, *callback_ids: str) -> list[asyncio.Task[bool]]:
        """They have come when this returns, and are not yet stored."""
        callbacks = [NewCallback(ACCOUNT, one, "Xk29fPw", "{}", 1000.0) for one in callback_ids]
        tasks = [asyncio.create_task(self._intake.store(callback)) for callback in callbacks]
        await asyncio.to_thread(self.gate.came.wait, 20)
        return tasks

    def _wake(self) -> None:
        self.wakes += 1

    def _commit(self, _connection: sa.Connection) -> None:
        self.commits += 1


def kept(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(sa.select(CallbackRow.callback_id)))


async def test_what_comes_while_one_is_stored_is_stored_next_in_one_transaction(database: Database) -> None:
    door = Door(database)
    first, others = await door.bring("a"), await door.bring("c", "b", "a", "c")
    door.gate.open.set()
    are_new = await asyncio.gather(*first, *others)

    assert are_new == [True, True, True, False, False]
    assert kept(database) == {"a", "b", "c"}
    assert (door.commits, door.wakes) == (2, 2)


async def test_a_batch_that_fails_is_refused_whole_and_the_next_is_stored(database: Database) -> None:
    door = Door(database)
    door.gate.fails = True
    failing = await door.bring("a", "b")
    door.gate.open.set()
    troubles = await asyncio.gather(*failing, return_exceptions=True)
    door.gate.fails = False
    (later,) = await door.bring("a")

    assert [type(trouble) for trouble in troubles] == [ZeroDivisionError, ZeroDivisionError]
    assert await later is True
    assert kept(database) == {"a"}


async def test_who_goes_away_takes_no_other_callback_along(database: Database) -> None:
    door = Door(database)
    gone, other = await door.bring("a", "b")
    gone.cancel()
    door.gate.open.set()

    assert await other is True
    assert kept(database) == {"a", "b"}
