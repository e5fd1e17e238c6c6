"""Writes of many in one transaction."""

import asyncio
from contextvars import ContextVar
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.store.billing.start_slots import take_start_slots
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import TOGETHER_MAX, GroupCommit
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
    raise LookupError("a mistake")


def taken(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(StartSlotRow.taken)) or 0


async def test_one_that_comes_alone_is_written_at_once_and_can_be_seen_when_it_is_answered(database: Database) -> None:
    assert await GroupCommit(database).submit(take) == 0
    assert taken(database) == 1


async def test_what_comes_while_others_are_written_goes_into_the_next_transaction(
    database: Database, commits: list[str]
) -> None:
    together = GroupCommit(database)
    places = await asyncio.gather(*(together.submit(take) for _ in range(3 * TOGETHER_MAX)))

    assert places == list(range(3 * TOGETHER_MAX))
    assert len(commits) == 3


async def test_who_fails_fails_alone(database: Database) -> None:
    together = GroupCommit(database)
    answers = await asyncio.gather(*(together.submit(work) for work in (take, fail, take)), return_exceptions=True)

    assert {answers[0], answers[2]} == {0, 1}
    assert isinstance(answers[1], LookupError)
    assert taken(database) == 2


async def test_who_holds_many_locks_waits_for_none(postgresql: sa.URL) -> None:
    """Two hours stand for two bills: another transaction has one, and wants the other."""
    database = new_store(new_database(postgresql))
    together = GroupCommit(database)
    with database.write() as session:
        take_start_slots(session, ACCOUNT, NOW)
        free, locked = (asyncio.create_task(together.submit(work)) for work in (take_later, take))
        assert await free == 0
        assert take_later(session) == 1
    assert await locked == 1
    database.close()


async def test_who_waits_no_longer_leaves_the_others_and_what_was_asked_for(database: Database) -> None:
    together = GroupCommit(database)
    first, second = (asyncio.create_task(together.submit(take)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == 1
    assert first.cancelled()
    assert taken(database) == 2


async def test_each_is_done_in_the_context_of_who_asked(database: Database) -> None:
    together = GroupCommit(database)

    async def ask(name: str) -> str:
        whose.set(name)
        return await together.submit(lambda _: whose.get())

    assert await asyncio.gather(*(ask(name) for name in ("a", "b", "c"))) == ["a", "b", "c"]
