"""The inbox records what it takes at once, many callbacks in one transaction; only what needs more is leased."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from sqlalchemy.orm import Session

from avtal.callbacks import recorder as recording
from avtal.callbacks.recorder import CallbackRecorder
from avtal.contracts.bills.bill import Fact, bill_id
from avtal.log_context import LogContext, current_log_context
from avtal.relay.queues import TOGETHER_MAX, Inbox
from avtal.relay.relay import Relay
from avtal.store.billing.bill_batch import BillBatch
from avtal.store.billing.facts import facts_of
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import StoredCallback
from avtal.store.tables import BillRow, CallbackRow
from tests.callbacks.test_recorder import body
from tests.conftest import new_database
from tests.store.builders import ACCOUNT, KEY, NOW, begun, come, new_store, sold

CAME = 1000.0


class Watched(Inbox):
    """An inbox that counts how often its second half is woken."""

    def __init__(self, database: Database, http: ClientSession) -> None:
        self.wakes = 0
        super().__init__(database, CallbackRecorder(database, Cipher(KEY), http, self._count))

    def _count(self) -> None:
        self.wakes += 1


def sent(database: Database, count: int) -> list[str]:
    """So many bills that are being made, and of each the callback that it was sent."""
    identities = [f"c-{number:02}" for number in range(count)]
    with database.write() as session:
        for contract_id in identities:
            sold(session, contract_id)
            begun(session, contract_id)
            tell(session, contract_id, contract_id)
    return identities


def tell(session: Session, callback_id: str, contract_id: str, **more: Any) -> None:
    told = body(bill_id(contract_id, 0, 0), **more).replace("Xk29fPw", contract_id)
    come(session, callback_id, contract_id, told, CAME)


def states(database: Database) -> dict[str, tuple[str, bool]]:
    """By callback: what became of it, and whether it is leased."""
    with database.read() as session:
        rows = session.scalars(sa.select(CallbackRow)).all()
        return {row.callback_id: (row.state, row.leased_until > CAME) for row in rows}


def transactions(database: Database) -> list[str]:
    begun_ones: list[str] = []
    sa.event.listen(database.engine, "commit", lambda _: begun_ones.append("one"))
    return begun_ones


def names(leased: Sequence[Any]) -> list[str]:
    return [callback.callback_id for callback in leased]


def test_what_says_enough_is_recorded_while_it_is_taken_many_in_one_transaction(
    database: Database, http: ClientSession
) -> None:
    sent(database, TOGETHER_MAX + 4)
    inbox, commits = Watched(database, http), transactions(database)
    taken = inbox.claim(CAME, 40), inbox.has_more, inbox.claim(CAME, 40), inbox.has_more
    with database.read() as session:
        bills = session.scalars(sa.select(BillRow)).all()

    assert taken == ([], True, [], False)
    assert set(states(database).values()) == {("done", False)}
    assert all(bill.dispatched_on == NOW.date() for bill in bills)
    assert (len(commits), inbox.wakes) == (2, 2)


async def relayed(database: Database, monkeypatch: pytest.MonkeyPatch, until: Callable[[int], bool]) -> list[int]:
    """How many were done after each transaction, on a relay that is stopped at such a number, and never polls."""
    monkeypatch.setattr("avtal.relay.relay.LOOK_SECONDS", 3600.0)
    loop = asyncio.get_running_loop()
    counts: list[int] = []

    def wake() -> None:
        counts.append([state for state, _ in states(database).values()].count("done"))
        if until(counts[-1]):
            loop.call_soon_threadsafe(relay.stop)

    async with ClientSession() as http:
        relay = Relay[StoredCallback](Inbox(database, CallbackRecorder(database, Cipher(KEY), http, wake)))
        async with asyncio.timeout(30):
            await relay.run()
    return counts


async def test_a_backlog_is_worked_off_batch_by_batch_without_a_pause(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(database, 2 * TOGETHER_MAX + 1)
    counts = await relayed(database, monkeypatch, lambda done: done == 2 * TOGETHER_MAX + 1)

    assert counts == [TOGETHER_MAX, 2 * TOGETHER_MAX, 2 * TOGETHER_MAX + 1]


async def test_a_stop_waits_for_one_batch_of_a_backlog_and_leaves_the_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(database, 2 * TOGETHER_MAX + 1)
    counts = await relayed(database, monkeypatch, lambda done: done >= TOGETHER_MAX)

    assert counts == [TOGETHER_MAX]
    assert [*states(database).values()].count(("new", False)) == TOGETHER_MAX + 1


def test_what_a_callback_tells_counts_for_those_behind_it_in_the_same_transaction(
    database: Database, http: ClientSession
) -> None:
    sent(database, 1)
    payment = {"type": "Payment", "created_at": "2026-11-21 12:00:02", "data": {"amount": 395}, "event_uuid": "u-2"}
    sums = {"id": "c-00", "state": "Paid", "detailed_sums": {"paid_sum": -395}}
    with database.write() as session:
        for name in ("paid", "paid again"):
            come(session, name, "c-00", body(None, event=payment, billogram=sums), CAME)
    leased = Watched(database, http).claim(CAME, 40)
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, bill_id("c-00", 0, 0)))
        kinds = [fact.type for fact in facts_of(session, bill)]

    assert (leased, {state for state, _ in states(database).values()}) == ([], {"done"})
    assert (bill.billogram_id, bill.remaining_minor) == ("c-00", 0)
    assert kinds == ["dispatched", "payment"]


def test_the_teller_is_woken_for_news_alone(database: Database, http: ClientSession) -> None:
    sent(database, 1)
    inbox = Watched(database, http)
    inbox.claim(CAME, 40)
    with database.write() as session:
        tell(session, "again", "c-00")
    inbox.claim(CAME, 40)

    assert set(states(database).values()) == {("done", False)}
    assert inbox.wakes == 1


def test_what_needs_more_is_leased_and_holds_up_its_own_billogram_alone(
    database: Database, http: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(database, 3)
    with database.write() as session:
        tell(session, "behind", "c-01", kind="Payment", event={"type": "Payment", "created_at": "2026-11-21 12:00:02"})
    monkeypatch.setattr(recording, "needs_reading", lambda _status, _known, news: news.custom == bill_id("c-01", 0, 0))
    leased = Watched(database, http).claim(CAME, 40)

    assert names(leased) == ["c-01"]
    assert states(database) == {
        "c-00": ("done", False),
        "c-01": ("new", True),
        "c-02": ("done", False),
        "behind": ("new", False),
    }


def test_if_one_fails_none_is_recorded_and_each_is_tried_by_itself(
    database: Database, http: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(database, 3)
    add = BillBatch.add

    def fails_for_one(ledger: BillBatch, bill: BillRow, facts: Iterable[Fact]) -> None:
        if bill.contract_id == "c-01":
            raise ZeroDivisionError
        add(ledger, bill, facts)

    monkeypatch.setattr(BillBatch, "add", fails_for_one)
    inbox = Watched(database, http)
    leased = inbox.claim(CAME, 40)

    assert names(leased) == ["c-00", "c-01", "c-02"]
    assert set(states(database).values()) == {("new", True)}
    assert inbox.wakes == 0


def test_what_is_logged_of_a_callback_without_a_bill_names_its_account(
    database: Database, http: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects: list[LogContext] = []
    monkeypatch.setattr(recording.log, "warning", lambda *_: subjects.append(current_log_context()))
    with database.write() as session:
        tell(session, "early", "c-00")
    Watched(database, http).claim(CAME, 40)

    assert subjects == [LogContext(ACCOUNT)]


def test_who_holds_many_bills_waits_for_none(postgresql: sa.URL, http: ClientSession) -> None:
    database = new_store(new_database(postgresql))
    sent(database, 2)
    with database.write() as session:
        session.get_one(BillRow, (ACCOUNT, bill_id("c-01", 0, 0)), with_for_update=True)
        leased = Watched(database, http).claim(CAME, 40)
    database.close()

    assert names(leased) == ["c-00", "c-01"]
