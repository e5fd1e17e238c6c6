"""Concurrent writes that share transactions."""

import asyncio
from contextvars import ContextVar
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.store.billing.start_slots import take_start_slots
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import BATCH_MAX, GroupCommit
from avtal.store.tables import StartSlotRow
from tests.conftest import new_database
from tests.store.builders import ACCOUNT, NOW, new_store

whose: ContextVar[str] = ContextVar("whose")


@pytest.fixture
def commits(database: Database) -> list[str]:
    seen: list[str] = []
    sa.event.listen(database.engine, "commit", lambda _: seen.append("commit"))
    return seen


def take(session: Session) -> int:
    return take_start_slots(session, ACCOUNT, NOW)[0]


def take_later(session: Session) -> int:
    return take_start_slots(session, ACCOUNT, NOW + timedelta(hours=1))[0]


def fail(session: Session) -> int:
    take_start_slots(session, ACCOUNT, NOW)
    raise LookupError("an internal error")


def taken(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(StartSlotRow.taken)) or 0


async def test_single_write_is_committed_before_its_result(database: Database) -> None:
    assert await GroupCommit(database).submit(take) == 0
    assert taken(database) == 1


async def test_writes_during_a_commit_share_the_next_transaction(database: Database, commits: list[str]) -> None:
    writes = GroupCommit(database)
    slots = await asyncio.gather(*(writes.submit(take) for _ in range(3 * BATCH_MAX)))

    assert slots == list(range(3 * BATCH_MAX))
    assert len(commits) == 3


async def test_failed_write_does_not_fail_its_batch(database: Database) -> None:
    writes = GroupCommit(database)
    results = await asyncio.gather(*(writes.submit(work) for work in (take, fail, take)), return_exceptions=True)

    assert {results[0], results[2]} == {0, 1}
    assert isinstance(results[1], LookupError)
    assert taken(database) == 2


async def test_batch_does_not_wait_for_locks(postgresql: sa.URL) -> None:
    """Another transaction holds one hour and wants the other."""
    database = new_store(new_database(postgresql))
    writes = GroupCommit(database)
    with database.write() as session:
        take_start_slots(session, ACCOUNT, NOW)
        free, locked = (asyncio.create_task(writes.submit(work)) for work in (take_later, take))
        assert await free == 0
        assert take_later(session) == 1
    assert await locked == 1
    database.close()


async def test_cancelled_caller_does_not_cancel_its_write(database: Database) -> None:
    writes = GroupCommit(database)
    first, second = (asyncio.create_task(writes.submit(take)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == 1
    assert first.cancelled()
    assert taken(database) == 2


async def test_write_runs_in_the_context_of_its_caller(database: Database) -> None:
    writes = GroupCommit(database)

    async def submit(name: str) -> str:
        whose.set(name)
        return await writes.submit(lambda _: whose.get())

    assert await asyncio.gather(*(submit(name) for name in ("a", "b", "c"))) == ["a", "b", "c"]
