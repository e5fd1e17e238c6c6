"""The event feed: each change once, with the change itself, numbered without gaps however many write at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import Fact, FactType, Parked, ParkedReason, bill_id
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractStatus
from avtal.contracts.schedule import Ending, EndReason
from avtal.store.accounts.accounts import take_customer_no
from avtal.store.billing.bills import lock_bill, park_bill, void_bill
from avtal.store.billing.contract_snapshots import write_contract_snapshot
from avtal.store.billing.facts import append_facts
from avtal.store.billing.subscribers import customer_of
from avtal.store.engine.clock import TestClock
from avtal.store.engine.database import Database
from avtal.store.feed.events import StoredEvent, events_after
from tests.store.builders import ACCOUNT, BILL, CONTRACT, NOW, begun, fact, sold

CONTRACTS, ROUNDS, AT_ONCE = 12, 5, 8
DISPATCHED = fact(FactType.DISPATCHED, uuid="d")
PAYMENT = fact(FactType.PAYMENT, 395_00, uuid="p")


def feed(database: Database, after: int = 0) -> list[StoredEvent]:
    with database.read() as session:
        return list(events_after(session, ACCOUNT, after, 10_000))


def types(database: Database, after: int = 0) -> list[str]:
    return [str(event.type) for event in feed(database, after)]


def sell_and_make(database: Database, contract_id: str = CONTRACT) -> None:
    with database.write() as session:
        sold(session, contract_id)
    with database.write() as session:
        begun(session, contract_id).made = True
    record(database, DISPATCHED, contract_id=contract_id)


def record(database: Database, *facts: Fact, contract_id: str = CONTRACT) -> None:
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, bill_id(contract_id, 0, 0))
        assert bill is not None
        append_facts(session, bill, facts)


def standing(
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
        record(database, fact(FactType.PAYMENT, 1_00, uuid=f"p{number}"), contract_id=contract_id)


def tell(database: Database, contract_id: str) -> None:
    for number in range(1, ROUNDS + 1):
        access = ("on", "active") if number % 2 == 0 else ("off", "past_grace")
        with database.write() as session:
            write_contract_snapshot(session, ACCOUNT, contract_id, standing(number, "active", *access))


def take_numbers(database: Database, _contract_id: str) -> None:
    for _ in range(ROUNDS):
        with database.write() as session:
            customer_of(session, ACCOUNT, "s-1")
            take_customer_no(session, ACCOUNT)


def test_a_bills_life_is_told_once_each_in_its_order(database: Database) -> None:
    sell_and_make(database)
    for facts in ([fact(FactType.DELIVERY_FAILED, uuid="f")], [fact(FactType.OTHER, uuid="v")], [PAYMENT], [PAYMENT]):
        record(database, *facts)
    record(database, fact(FactType.PAYMENT_REVERSED, 395_00, uuid="r"))
    record(database, fact(FactType.CREDIT, 95_00, uuid="c"))
    record(database, fact(FactType.LOSS, uuid="l"))
    told = feed(database)

    assert [str(event.type) for event in told] == [
        "contract.sold", "access.turned_on", "bill.sent", "bill.delivery_failed", "bill.paid", "bill.reopened",
        "bill.remaining_changed", "bill.expired",
    ]  # fmt: skip
    assert [event.seq for event in told] == [*range(1, 9)]
    assert [event.data["remaining"] for event in told[2:]] == ["395.00"] * 2 + ["0.00", "395.00", "300.00", "300.00"]
    assert {(event.contract_id, event.bill_id) for event in told[2:]} == {(CONTRACT, BILL)}


def test_what_is_found_in_the_feed_is_the_state_at_that_moment_without_the_reader(database: Database) -> None:
    sell_and_make(database)
    record(database, fact(FactType.DISPATCHED, uuid="d2").model_copy(update={"due_date": NOW.date()}))
    told = feed(database)

    assert told[1].data == {
        "contract_id": "c-1", "status": "active", "access": "on", "reason": "active", "since": "2026-11-21T12:00:00Z",
        "ends_on": None,
    }  # fmt: skip
    assert told[-1].type == "bill.due_date_moved"
    assert told[-1].data == {
        "contract_id": "c-1", "bill_id": "c-1:0:r0",
        "period": {"number": 0, "start": "2026-11-21", "end": "2026-12-21"},
        "status": "open", "status_text": "open", "delivery_method": "Email", "billogram_id": None, "invoice_no": None,
        "total": "395.00", "vat": "79.00", "remaining": "395.00", "currency": "SEK", "due_date": "2026-11-21",
        "grace_ends": None, "parked": None,
    }  # fmt: skip
    assert not any("Anna" in str(event) or "anna@" in str(event) for event in told)


def test_a_parked_bill_is_told_with_our_words_alone_and_its_retry_and_void_too(database: Database) -> None:
    with database.write() as session:
        sold(session)
    refused = Parked(reason=ParkedReason.REFUSED, field="address.zipcode")
    for _ in range(2):
        with database.write() as session:
            begun(session)
        with database.write() as session:
            park_bill(session, begun(session), refused, "Anna Lundberg has no zip code")
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        void_bill(session, bill)
    told = feed(database, after=2)

    assert [str(event.type) for event in told] == ["bill.parked", "bill.retried", "bill.parked", "bill.voided"]
    assert told[0].data["parked"]["reason"] == "refused"
    assert "Anna" not in str(told)


def test_a_contracts_changes_are_told_once_and_an_older_standing_is_not(database: Database) -> None:
    end = Ending(on=NOW.date(), at=NOW, reason=EndReason.CANCELLED)
    with database.write() as session:
        sold(session)
    for news in (
        standing(1, "cancelling", end=end), standing(1, "cancelling", end=end), standing(2, "active"),
        standing(1, "cancelling", end=end), standing(3, "ended", "off", "cancelled", end),
    ):  # fmt: skip
        with database.write() as session:
            write_contract_snapshot(session, ACCOUNT, CONTRACT, news)

    assert types(database, after=2) == [
        "contract.cancelling", "contract.cancellation_revoked", "contract.ended", "access.turned_off",
    ]  # fmt: skip
    assert feed(database)[-1].data["ends_on"] == "2026-11-21"


def test_a_rollback_tells_nothing_and_leaves_no_gap(database: Database) -> None:
    sell_and_make(database)
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
    record(database, PAYMENT)

    assert [(event.seq, str(event.type)) for event in feed(database, after=2)] == [(3, "bill.sent"), (4, "bill.paid")]


def test_many_writers_at_once_leave_no_gap_and_no_deadlock_and_keep_each_contracts_order(database: Database) -> None:
    """Beside each other: facts, standings, and customer numbers, which lock the account's own row."""
    contracts = [f"c-{number}" for number in range(CONTRACTS)]
    for contract_id in contracts:
        sell_and_make(database, contract_id)
    before = len(feed(database))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        work = [pool.submit(do, database, contract_id) for contract_id in contracts for do in (pay, tell, take_numbers)]
        assert [done.exception(60) for done in work] == [None] * len(work)
    told = feed(database)

    assert [event.seq for event in told] == [*range(1, before + 2 * CONTRACTS * ROUNDS + 1)]
    for contract_id in contracts:
        own = [event for event in told[before:] if event.contract_id == contract_id]
        remaining = [event.data["remaining"] for event in own if event.bill_id]
        assert remaining == [f"{395 - number}.00" for number in range(1, ROUNDS + 1)]
        assert [event.data["access"] for event in own if not event.bill_id] == ["off", "on", "off", "on", "off"]


def test_a_reader_of_the_feed_never_sees_a_later_number_before_an_earlier_one(database: Database) -> None:
    sell_and_make(database, "c-0")  # the reader, whom the others share
    seen: list[int] = []

    def look() -> None:
        seen.extend(event.seq for event in feed(database, after=seen[-1] if seen else 0))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        work = [pool.submit(sell_and_make, database, f"c-{number}") for number in range(1, CONTRACTS)]
        while not all(done.done() for done in work):
            look()
    look()

    assert [done.exception() for done in work] == [None] * len(work)
    assert seen == [*range(1, 3 * CONTRACTS + 1)]


def test_events_are_dated_in_the_systems_time(database: Database) -> None:
    TestClock(database).move(timedelta(days=90))
    with database.write() as session:
        sold(session)
    [event, *_] = feed(database)

    assert timedelta(days=89) < event.at - datetime.now(UTC) < timedelta(days=91)


def test_a_change_costs_two_questions_more_and_none_if_it_tells_nothing(database: Database) -> None:
    sell_and_make(database)

    assert questions_of_the_feed(database, PAYMENT) == 2
    assert questions_of_the_feed(database, PAYMENT) == 0
    assert questions_of_the_feed(database, fact(FactType.OTHER, uuid="o")) == 0


def questions_of_the_feed(database: Database, *facts: Fact) -> int:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    record(database, *facts)
    sa.event.remove(database.engine, "before_cursor_execute", note)
    return sum("feeds" in statement or "events" in statement for statement in asked)
