"""The inbox on a relay: callbacks in flight together share transactions, and none holds up another's billogram."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import NotFound
from avtal.callbacks import recorder as recorder_module
from avtal.callbacks.inbox_queue import InboxQueue
from avtal.callbacks.recorder import CallbackRecorder
from avtal.contracts.bills.bill import Fact, bill_id
from avtal.contracts.bills.invoice import CallbackFacts
from avtal.log_context import LogContext, current_log_context
from avtal.relay import relay as relay_module
from avtal.relay.relay import CONCURRENCY_MAX, Relay
from avtal.store.billing.facts import BillBatch, facts_of
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import BATCH_MAX
from avtal.store.queues.inbox import StoredCallback
from avtal.store.tables import BillRow, CallbackRow
from tests.callbacks.test_recorder import body
from tests.conftest import new_database
from tests.store.builders import ACCOUNT, KEY, NOW, new_bill, new_callback, new_contract, new_store

STORED_AT = 1000.0
PAYMENT = {"type": "Payment", "created_at": "2026-11-21 12:00:02", "data": {"amount": 395}, "event_uuid": "u-2"}


class Inbox(InboxQueue):
    """Counts how often the dispatcher is woken."""

    def __init__(self, database: Database, http: httpx.AsyncClient) -> None:
        self.wakes = 0
        super().__init__(database, CallbackRecorder(database, Cipher(KEY), http, self._count).record)

    def _count(self) -> None:
        self.wakes += 1

    async def process_all(self) -> int:
        """Claims and processes until nothing is due. How many callbacks were claimed."""
        count = 0
        while claimed := self.claim(STORED_AT, CONCURRENCY_MAX):
            count += len(claimed)
            await asyncio.gather(*(self.process(callback) for callback in claimed))
        return count


@pytest.fixture
def inbox(database: Database, http: httpx.AsyncClient) -> Inbox:
    return Inbox(database, http)


def new_bills(database: Database, count: int) -> list[str]:
    """So many bills in creation, and of each the callback that its invoice was sent."""
    contract_ids = [f"c-{number:02}" for number in range(count)]
    with database.write() as session:
        for contract_id in contract_ids:
            new_contract(session, contract_id)
            new_bill(session, contract_id)
            callback_of(session, contract_id, contract_id)
    return contract_ids


def callback_of(session: Session, callback_id: str, contract_id: str, **fields: Any) -> None:
    text = body(bill_id(contract_id, 0, 0), **fields).replace("Xk29fPw", contract_id)
    new_callback(session, callback_id, contract_id, text, STORED_AT)


def states(database: Database) -> dict[str, tuple[str, bool]]:
    """By callback: its state, and whether it is new and leased."""
    with database.read() as session:
        rows = session.scalars(sa.select(CallbackRow)).all()
        return {row.callback_id: (row.state, row.state == "new" and row.leased_until > STORED_AT) for row in rows}


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - the store changes without an event
            await asyncio.sleep(0.01)


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    verbs: list[str] = []

    def note(*event: Any) -> None:
        verbs.append(event[2].split()[0])

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield verbs
    sa.event.remove(database.engine, "before_cursor_execute", note)


async def test_callbacks_are_recorded_sixteen_in_one_transaction(database: Database, inbox: Inbox) -> None:
    new_bills(database, BATCH_MAX + 4)
    commits: list[str] = []
    sa.event.listen(database.engine, "commit", lambda _: commits.append("commit"))
    claimed = inbox.claim(STORED_AT, CONCURRENCY_MAX)
    commits.clear()
    await asyncio.gather(*(inbox.process(callback) for callback in claimed))
    with database.read() as session:
        dispatched_on = [bill.dispatched_on for bill in session.scalars(sa.select(BillRow))]

    assert len(commits) == 2
    assert [*states(database).values()] == [("done", False)] * (BATCH_MAX + 4)
    assert dispatched_on == [NOW.date()] * (BATCH_MAX + 4)
    assert inbox.wakes == BATCH_MAX + 4


async def test_a_batch_costs_as_many_statements_as_one_callback(database: Database, inbox: Inbox) -> None:
    first, *others = new_bills(database, BATCH_MAX + 1)
    claimed = {callback.callback_id: callback for callback in inbox.claim(STORED_AT, CONCURRENCY_MAX)}
    with counted_statements(database) as of_one:
        await inbox.process(claimed[first])
    with counted_statements(database) as of_batch:
        await asyncio.gather(*(inbox.process(claimed[callback_id]) for callback_id in others))

    assert "UPDATE" in of_one
    assert sorted(of_batch) == sorted(of_one)


async def test_callbacks_of_one_billogram_are_recorded_in_order(database: Database, inbox: Inbox) -> None:
    new_bills(database, 1)
    sums = {"id": "c-00", "state": "Paid", "detailed_sums": {"paid_sum": -395}}
    with database.write() as session:
        for name in ("paid", "paid again"):
            new_callback(session, name, "c-00", body(None, event=PAYMENT, billogram=sums), STORED_AT)
    first = inbox.claim(STORED_AT, CONCURRENCY_MAX)
    while_leased = inbox.claim(STORED_AT, CONCURRENCY_MAX)
    await inbox.process(first[0])
    await inbox.process_all()
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, bill_id("c-00", 0, 0)))
        kinds = [fact.type for fact in facts_of(session, bill)]

    assert ([callback.callback_id for callback in first], while_leased) == (["c-00"], [])
    assert [*states(database).values()] == [("done", False)] * 3
    assert (bill.billogram_id, bill.remaining_minor) == ("c-00", 0)
    assert kinds == ["dispatched", "payment"]


async def test_a_repeated_callback_wakes_nobody(database: Database, inbox: Inbox) -> None:
    new_bills(database, 1)
    await inbox.process_all()
    with database.write() as session:
        callback_of(session, "again", "c-00")
    await inbox.process_all()

    assert states(database) == {"c-00": ("done", False), "again": ("done", False)}
    assert inbox.wakes == 1


async def test_a_callback_that_needs_a_read_holds_up_its_own_billogram_alone(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_bills(database, 3)
    with database.write() as session:
        callback_of(session, "behind", "c-01", event=PAYMENT)
    reading, released = asyncio.Event(), asyncio.Event()

    async def get(_client: BillogramClient, _billogram_id: str) -> None:
        reading.set()
        await released.wait()
        raise NotFound("NOT_FOUND")

    def needs_reading(_status: object, _known: object, facts: CallbackFacts) -> bool:
        return facts.custom == bill_id("c-01", 0, 0)

    monkeypatch.setattr(BillogramClient, "get", get)
    monkeypatch.setattr(recorder_module, "needs_reading", needs_reading)
    processing = asyncio.create_task(inbox.process_all())
    await reading.wait()
    await wait_until(lambda: [*states(database).values()].count(("done", False)) == 2)
    during = states(database)
    released.set()

    assert during == {"c-00": ("done", False), "c-01": ("new", True), "c-02": ("done", False), "behind": ("new", False)}
    assert await processing == 4
    assert [*states(database).values()] == [("done", False)] * 4


async def test_if_one_callback_of_a_batch_fails_the_others_are_recorded(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_bills(database, 3)
    append_facts = BillBatch.append_facts

    def fail_for_one(batch: BillBatch, bill: BillRow, facts: Iterable[Fact]) -> bool:
        if bill.contract_id == "c-01":
            raise ZeroDivisionError
        return append_facts(batch, bill, facts)

    monkeypatch.setattr(BillBatch, "append_facts", fail_for_one)
    claimed = inbox.claim(STORED_AT, CONCURRENCY_MAX)
    errors = await asyncio.gather(*(inbox.process(callback) for callback in claimed), return_exceptions=True)

    assert [type(error) for error in errors] == [type(None), ZeroDivisionError, type(None)]
    assert states(database) == {"c-00": ("done", False), "c-01": ("new", True), "c-02": ("done", False)}


async def test_a_log_line_without_a_bill_names_the_account(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[LogContext] = []
    monkeypatch.setattr(recorder_module.log, "warning", lambda *_: contexts.append(current_log_context()))
    with database.write() as session:
        callback_of(session, "early", "c-00")
    await inbox.process_all()

    assert contexts == [LogContext(ACCOUNT)]


async def test_a_batch_waits_for_no_locked_bill(postgresql: sa.URL, http: httpx.AsyncClient) -> None:
    """The one callback whose bill is locked waits alone."""
    database = new_store(new_database(postgresql))
    new_bills(database, 2)
    processing = asyncio.create_task(Inbox(database, http).process_all())
    with database.write() as session:
        session.get_one(BillRow, (ACCOUNT, bill_id("c-01", 0, 0)), with_for_update=True)
        await wait_until(lambda: states(database)["c-00"] == ("done", False))
        during = states(database)
    await processing
    after = states(database)
    database.close()

    assert during == {"c-00": ("done", False), "c-01": ("new", True)}
    assert after == {"c-00": ("done", False), "c-01": ("done", False)}


async def relayed(database: Database, monkeypatch: pytest.MonkeyPatch, is_enough: Callable[[int], bool]) -> None:
    """On a relay without polling, until so many are done that it is stopped."""
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600.0)
    loop = asyncio.get_running_loop()

    def wake() -> None:
        if is_enough([state for state, _ in states(database).values()].count("done")):
            loop.call_soon_threadsafe(relay.stop)

    async with httpx.AsyncClient() as http:
        recorder = CallbackRecorder(database, Cipher(KEY), http, wake)
        relay = Relay[StoredCallback](InboxQueue(database, recorder.record))
        async with asyncio.timeout(30):
            await relay.run()


async def test_a_backlog_is_processed_without_a_pause(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 2 * CONCURRENCY_MAX + 1
    new_bills(database, count)
    await relayed(database, monkeypatch, lambda done: done == count)

    assert [*states(database).values()] == [("done", False)] * count


async def test_a_stopped_relay_leaves_the_rest_of_a_backlog(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 4 * CONCURRENCY_MAX
    new_bills(database, count)
    await relayed(database, monkeypatch, lambda done: done >= BATCH_MAX)
    left = [*states(database).values()].count(("new", False))

    assert left >= 2 * CONCURRENCY_MAX
    assert [*states(database).values()].count(("done", False)) == count - left
