"""Several relays on one store: each message is dispatched once, in order per contract, also after a crash."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from avtal.relay.outbox_queue import OutboxQueue
from avtal.relay.relay import Relay
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import StoredCallback, claim_callbacks
from avtal.store.queues.lease import LEASE_SECONDS, Backlog
from avtal.store.queues.outbox import OutboxMessage, claim_messages, message_backlog
from avtal.store.tables import OutboxRow
from tests.store.builders import ACCOUNT, new_callback

CONTRACTS, MESSAGES_EACH, RELAYS = 12, 6, 3


def claim(database: Database, now: float, limit: int) -> Sequence[OutboxMessage]:
    with database.write() as session:
        return claim_messages(session, now, limit)


def queue(database: Database) -> None:
    with database.write() as session:
        for number in range(CONTRACTS * MESSAGES_EACH):
            contract_id = f"c-{number % CONTRACTS}"
            session.add(
                OutboxRow(account=ACCOUNT, contract_id=contract_id, bill_id=f"{number:03}", next_attempt_at=0.0)
            )
            session.flush()


def rows(database: Database) -> Sequence[OutboxRow]:
    with database.read() as session:
        return session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id)).all()


async def wait_until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - the store changes without an event
            await asyncio.sleep(0.01)


async def test_several_relays_dispatch_each_message_once_in_order_per_contract(database: Database) -> None:
    dispatched: dict[str, list[str | None]] = defaultdict(list)

    async def dispatch(message: OutboxMessage) -> bool:
        dispatched[message.contract_id].append(message.bill_id)
        await asyncio.sleep(0.001)
        return True

    queue(database)
    relays = [Relay[OutboxMessage](OutboxQueue(database, dispatch)) for _ in range(RELAYS)]
    running = [asyncio.create_task(relay.run()) for relay in relays]
    await wait_until(lambda: not rows(database))
    for relay in relays:
        relay.stop()
    await asyncio.gather(*running)

    assert dispatched == {
        f"c-{number}": [f"{place:03}" for place in range(number, CONTRACTS * MESSAGES_EACH, CONTRACTS)]
        for number in range(CONTRACTS)
    }


def test_the_messages_of_a_dead_process_are_free_when_its_lease_ends(database: Database) -> None:
    queue(database)
    first = claim(database, 1000.0, 100)
    while_leased = claim(database, 1000.0 + LEASE_SECONDS - 1, 100)
    after = claim(database, 1000.0 + LEASE_SECONDS, 100)

    assert len(first) == CONTRACTS
    assert while_leased == []
    assert [message.id for message in after] == [message.id for message in first]


def test_callbacks_of_one_billogram_are_leased_one_at_a_time(database: Database) -> None:
    def due(now: float) -> list[str]:
        with database.write() as session:
            found: Sequence[StoredCallback] = claim_callbacks(session, now, 10)
            return [callback.callback_id for callback in found]

    with database.write() as session:
        for callback_id, group_key in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            new_callback(session, callback_id, group_key)

    assert due(1000.0) == ["a1", "b1"]
    assert due(1001.0) == []
    assert due(1000.0 + LEASE_SECONDS) == ["a1", "b1"]


async def test_a_stopped_relay_releases_what_it_does_not_finish(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avtal.relay.relay.SHUTDOWN_SECONDS_MAX", 0.5)
    started: list[str] = []

    async def dispatch(message: OutboxMessage) -> bool:
        started.append(message.contract_id)
        if message.contract_id != "c-0":
            await asyncio.Event().wait()
        return True

    with database.write() as session:
        session.add_all([OutboxRow(account=ACCOUNT, contract_id=f"c-{number}") for number in range(3)])
    relay = Relay[OutboxMessage](OutboxQueue(database, dispatch))
    running = asyncio.create_task(relay.run())
    await wait_until(lambda: len(started) == 3)
    relay.stop()
    await running
    next_process = claim(database, time.time(), 10)

    assert [message.contract_id for message in next_process] == ["c-1", "c-2"]


async def test_an_internal_error_defers_the_message_and_is_counted(database: Database) -> None:
    async def dispatch(_message: OutboxMessage) -> bool:
        raise ZeroDivisionError("the subscriber's data")

    with database.write() as session:
        session.add(OutboxRow(account=ACCOUNT, contract_id="c-1"))
    counted = partial(REGISTRY.get_sample_value, "avtal_relay_failed_attempts_total")
    labels = {"queue": "outbox", "reason": "ZeroDivisionError"}
    before = counted(labels) or 0.0
    relay = Relay[OutboxMessage](OutboxQueue(database, dispatch))
    running = asyncio.create_task(relay.run())
    await wait_until(lambda: rows(database)[0].attempts > 1)
    relay.stop()
    await running
    [row] = rows(database)

    assert row.last_error == "an internal error (ZeroDivisionError); see the log of the web process"
    assert row.leased_until == 0.0
    assert row.next_attempt_at > time.time()
    assert (counted(labels) or 0.0) >= before + 2


def test_an_outbox_is_as_late_as_the_oldest_message_of_a_contract(database: Database) -> None:
    with database.write() as session:
        for next_attempt_at in (2000.0, 1000.0):
            session.add(OutboxRow(account=ACCOUNT, contract_id="c-1", next_attempt_at=next_attempt_at))
            session.flush()
        early, late = message_backlog(session, 1500.0), message_backlog(session, 2100.0)

    assert early == Backlog(rows=0, oldest_seconds=0.0)
    assert late == Backlog(rows=1, oldest_seconds=100.0)


async def test_a_relay_that_is_woken_and_stopped_together_stops(database: Database) -> None:
    async def dispatch(_message: OutboxMessage) -> bool:
        return True

    relay = Relay[OutboxMessage](OutboxQueue(database, dispatch))
    running = asyncio.create_task(relay.run())
    while not relay.last_polled_at:  # noqa: ASYNC110 - the relay polls without an event
        await asyncio.sleep(0.01)
    relay.wake()
    relay.stop()
    ended, _ = await asyncio.wait([running], timeout=5)

    assert running in ended
