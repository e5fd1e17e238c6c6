"""The event feed: each change once, in its transaction, numbered without gaps under concurrent writes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import Fact, FactType, Parked, ParkedReason, bill_id
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractStatus
from avtal.contracts.schedule import Ending, EndReason
from avtal.store.accounts.accounts import take_customer_no
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.bills import park_bill, void_bill
from avtal.store.billing.contract_snapshots import write_contract_snapshot
from avtal.store.billing.facts import append_facts
from avtal.store.billing.subscribers import ensure_customer
from avtal.store.engine.clock import TestClock
from avtal.store.engine.database import Database
from avtal.store.feed.events import StoredEvent, events_after
from avtal.store.opening import open_store
from tests.store.builders import ACCOUNT, BILL, CONTRACT, NOW, fact, new_bill, new_contract

CONTRACTS, ROUNDS, THREADS = 12, 5, 8
DISPATCHED = fact(FactType.DISPATCHED, uuid="d")
PAYMENT = fact(FactType.PAYMENT, 395_00, uuid="p")


def feed(database: Database, after: int = 0) -> list[StoredEvent]:
    with database.read() as session:
        return list(events_after(session, ACCOUNT, after, 10_000))


def types(database: Database, after: int = 0) -> list[str]:
    return [str(event.type) for event in feed(database, after)]


def sell_and_dispatch(database: Database, contract_id: str = CONTRACT) -> None:
    with database.write() as session:
        new_contract(session, contract_id)
    with database.write() as session:
        new_bill(session, contract_id).made = True
    append(database, DISPATCHED, contract_id=contract_id)


def append(database: Database, *facts: Fact, contract_id: str = CONTRACT) -> None:
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, bill_id(contract_id, 0, 0))
        assert bill is not None
        append_facts(session, bill, facts)


def snapshot(
    counter: int, status: str, access: str = "on", reason: str = "active", end: Ending | None = None
) -> ContractSnapshot:
    return ContractSnapshot(
        counter=counter,
        status=ContractStatus(status),
        access=Access(access),
        reason=AccessReason(reason),
        since=NOW,
        ending=end,
    )


def pay(database: Database, contract_id: str) -> None:
    for number in range(ROUNDS):
        append(database, fact(FactType.PAYMENT, 1_00, uuid=f"p{number}"), contract_id=contract_id)


def write_snapshots(database: Database, contract_id: str) -> None:
    for number in range(1, ROUNDS + 1):
        access = ("on", "active") if number % 2 == 0 else ("off", "past_grace")
        with database.write() as session:
            write_contract_snapshot(session, ACCOUNT, contract_id, snapshot(number, "active", *access))


def take_customer_numbers(database: Database, _contract_id: str) -> None:
    for _ in range(ROUNDS):
        with database.write() as session:
            ensure_customer(session, ACCOUNT, "s-1")
            take_customer_no(session, ACCOUNT)


def test_each_change_of_a_bill_is_one_event_in_order(database: Database) -> None:
    sell_and_dispatch(database)
    for facts in ([fact(FactType.DELIVERY_FAILED, uuid="f")], [fact(FactType.OTHER, uuid="v")], [PAYMENT], [PAYMENT]):
        append(database, *facts)
    append(database, fact(FactType.PAYMENT_REVERSED, 395_00, uuid="r"))
    append(database, fact(FactType.CREDIT, 95_00, uuid="c"))
    append(database, fact(FactType.LOSS, uuid="l"))
    events = feed(database)

    assert [str(event.type) for event in events] == [
        "contract.sold", "access.turned_on", "bill.sent", "bill.delivery_failed", "bill.paid", "bill.reopened",
        "bill.remaining_changed", "bill.expired",
    ]  # fmt: skip
    assert [event.seq for event in events] == [*range(1, 9)]
    assert [event.data["remaining"] for event in events[2:]] == ["395.00"] * 2 + ["0.00", "395.00", "300.00", "300.00"]
    assert {(event.contract_id, event.bill_id) for event in events[2:]} == {(CONTRACT, BILL)}


def test_event_holds_the_state_of_its_moment_and_no_personal_data(database: Database) -> None:
    sell_and_dispatch(database)
    append(database, fact(FactType.DISPATCHED, uuid="d2").model_copy(update={"due_date": NOW.date()}))
    events = feed(database)

    assert events[1].data == {
        "contract_id": "c-1", "status": "active", "access": "on", "reason": "active", "since": "2026-11-21T12:00:00Z",
        "ends_on": None,
    }  # fmt: skip
    assert events[-1].type == "bill.due_date_moved"
    assert events[-1].data == {
        "contract_id": "c-1", "bill_id": "c-1:0:r0",
        "period": {"number": 0, "start": "2026-11-21", "end": "2026-12-21"},
        "status": "open", "status_text": "open", "delivery_method": "Email", "billogram_id": None, "invoice_no": None,
        "total": "395.00", "vat": "79.00", "remaining": "395.00", "currency": "SEK", "due_date": "2026-11-21",
        "grace_ends": None, "parked": None,
    }  # fmt: skip
    assert not any("Anna" in str(event) or "anna@" in str(event) for event in events)


def test_parked_event_does_not_hold_the_provider_message(database: Database) -> None:
    with database.write() as session:
        new_contract(session)
    refused = Parked(reason=ParkedReason.REFUSED, field="address.zipcode")
    for _ in range(2):
        with database.write() as session:
            new_bill(session)
        with database.write() as session:
            park_bill(session, new_bill(session), refused, "Anna Lundberg has no zip code")
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        void_bill(session, bill)
    events = feed(database, after=2)

    assert [str(event.type) for event in events] == ["bill.parked", "bill.retried", "bill.parked", "bill.voided"]
    assert events[0].data["parked"]["reason"] == "refused"
    assert "Anna" not in str(events)


def test_outdated_contract_snapshot_makes_no_event(database: Database) -> None:
    end = Ending(on=NOW.date(), at=NOW, reason=EndReason.CANCELLED)
    with database.write() as session:
        new_contract(session)
    for one in (
        snapshot(1, "cancelling", end=end), snapshot(1, "cancelling", end=end), snapshot(2, "active"),
        snapshot(1, "cancelling", end=end), snapshot(3, "ended", "off", "cancelled", end),
    ):  # fmt: skip
        with database.write() as session:
            write_contract_snapshot(session, ACCOUNT, CONTRACT, one)

    assert types(database, after=2) == [
        "contract.cancelling", "contract.cancellation_revoked", "contract.ended", "access.turned_off",
    ]  # fmt: skip
    assert feed(database)[-1].data["ends_on"] == "2026-11-21"


def test_rollback_leaves_no_event_and_no_gap(database: Database) -> None:
    sell_and_dispatch(database)
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        append_facts(session, bill, [PAYMENT])
        session.rollback()
    with pytest.raises(RuntimeError), database.write() as session:  # noqa: PT012 - it is the block that fails
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        append_facts(session, bill, [PAYMENT])
        raise RuntimeError
    append(database, PAYMENT)

    assert [(event.seq, str(event.type)) for event in feed(database, after=2)] == [(3, "bill.sent"), (4, "bill.paid")]


def test_concurrent_writers_leave_no_gap_and_keep_the_order(database: Database) -> None:
    """Facts, contract snapshots, and customer numbers, which lock the account's row."""
    contracts = [f"c-{number}" for number in range(CONTRACTS)]
    for contract_id in contracts:
        sell_and_dispatch(database, contract_id)
    before = len(feed(database))

    with ThreadPoolExecutor(THREADS) as pool:
        writers = (pay, write_snapshots, take_customer_numbers)
        work = [pool.submit(write, database, contract_id) for contract_id in contracts for write in writers]
        assert [done.exception(60) for done in work] == [None] * len(work)
    events = feed(database)

    assert [event.seq for event in events] == [*range(1, before + 2 * CONTRACTS * ROUNDS + 1)]
    for contract_id in contracts:
        own = [event for event in events[before:] if event.contract_id == contract_id]
        remaining = [event.data["remaining"] for event in own if event.bill_id]
        assert remaining == [f"{395 - number}.00" for number in range(1, ROUNDS + 1)]
        assert [event.data["access"] for event in own if not event.bill_id] == ["off", "on", "off", "on", "off"]


def test_feed_never_shows_a_number_before_an_earlier_one(database: Database) -> None:
    sell_and_dispatch(database, "c-0")  # adds the subscriber whom the others share
    seen: list[int] = []

    def poll() -> None:
        seen.extend(event.seq for event in feed(database, after=seen[-1] if seen else 0))

    with ThreadPoolExecutor(THREADS) as pool:
        work = [pool.submit(sell_and_dispatch, database, f"c-{number}") for number in range(1, CONTRACTS)]
        while not all(done.done() for done in work):
            poll()
    poll()

    assert [done.exception() for done in work] == [None] * len(work)
    assert seen == [*range(1, 3 * CONTRACTS + 1)]


def test_events_are_dated_in_system_time(database: Database) -> None:
    TestClock(database).set_offset(timedelta(days=90))
    on_test_clock = open_store(database.url, test_clock=True)
    with on_test_clock.write() as session:
        new_contract(session)
    on_test_clock.close()
    [event, *_] = feed(database)

    assert timedelta(days=89) < event.at - datetime.now(UTC) < timedelta(days=91)


def test_feed_costs_two_statements_per_change_and_none_without_events(database: Database) -> None:
    sell_and_dispatch(database)

    assert statements_of_the_feed(database, PAYMENT) == 2
    assert statements_of_the_feed(database, PAYMENT) == 0
    assert statements_of_the_feed(database, fact(FactType.OTHER, uuid="o")) == 0


def statements_of_the_feed(database: Database, *facts: Fact) -> int:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    append(database, *facts)
    sa.event.remove(database.engine, "before_cursor_execute", note)
    return sum("feeds" in statement or "events" in statement for statement in statements)
