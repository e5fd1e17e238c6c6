"""Several relays on one store: nothing is done twice, a contract's order is kept, and what a dead one held is taken."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

import pytest
import sqlalchemy as sa

from callbacks.relay import Relay
from store.database import Database
from store.inbox import LEASE_SECONDS, StoredCallback, claim_callbacks, store_callback
from store.outbox import Telling, claim_tellings, told
from store.schema import OutboxRow
from tests.store.making import ACCOUNT, NOW, new_store

CONTRACTS, TELLINGS_EACH, RELAYS = 12, 6, 3


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    database = new_store(store_url)
    yield database
    database.close()


def claim(database: Database, now: float, limit: int) -> Sequence[Telling]:
    with database.write() as session:
        return claim_tellings(session, now, limit)


def queue(database: Database) -> None:
    with database.write() as session:
        for number in range(CONTRACTS * TELLINGS_EACH):
            contract_id = f"c-{number % CONTRACTS}"
            session.add(OutboxRow(account=ACCOUNT, contract_id=contract_id, bill_id=f"{number:03}"))
            session.flush()


async def test_several_relays_tell_everything_once_and_in_order_per_contract(database: Database) -> None:
    heard: dict[str, list[str | None]] = defaultdict(list)

    async def tell(telling: Telling) -> None:
        heard[telling.contract_id].append(telling.bill_id)
        await asyncio.sleep(0.001)
        await asyncio.to_thread(finish, telling)

    def finish(telling: Telling) -> None:
        with database.write() as session:
            told(session, telling)

    def left() -> int:
        with database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) or 0

    queue(database)
    relays = [Relay[Telling](partial(claim, database), lambda work: work.contract_id, tell) for _ in range(RELAYS)]
    running = [asyncio.create_task(relay.run()) for relay in relays]
    async with asyncio.timeout(30):
        while await asyncio.to_thread(left):  # noqa: ASYNC110 - what ends it happens in the store
            await asyncio.sleep(0.01)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

    assert sum(len(bills) for bills in heard.values()) == CONTRACTS * TELLINGS_EACH
    assert all(bills == sorted(bills, key=str) for bills in heard.values())


def test_what_a_dead_process_held_is_taken_when_its_lease_has_ended(database: Database) -> None:
    queue(database)
    first = claim(database, 1000.0, 100)
    while_leased = claim(database, 1000.0 + LEASE_SECONDS - 1, 100)
    after = claim(database, 1000.0 + LEASE_SECONDS, 100)

    assert len(first) == CONTRACTS
    assert while_leased == []
    assert [telling.id for telling in after] == [telling.id for telling in first]


def test_callbacks_of_one_billogram_are_leased_one_at_a_time(database: Database) -> None:
    def due(now: float) -> list[str]:
        with database.write() as session:
            found: Sequence[StoredCallback] = claim_callbacks(session, now, 10)
            return [callback.callback_id for callback in found]

    with database.write() as session:
        for callback_id, subject in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            store_callback(session, ACCOUNT, callback_id, subject, "{}", NOW, 1000.0)

    assert due(1000.0) == ["a1", "b1"]
    assert due(1001.0) == []
    assert due(1000.0 + LEASE_SECONDS) == ["a1", "b1"]


async def test_a_relay_that_is_stopped_at_the_moment_of_a_wake_stops() -> None:
    async def do(_work: str) -> None: ...

    relay = Relay[str](lambda _now, _limit: [], lambda work: work, do)
    running = asyncio.create_task(relay.run())
    while not relay.looked_at:  # noqa: ASYNC110 - the relay tells of its looks by this alone
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    relay.wake()
    await asyncio.sleep(0)
    running.cancel()
    ended, _ = await asyncio.wait([running], timeout=5)

    assert running in ended
