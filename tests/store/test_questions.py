"""How many questions the store is asked for what happens most: each costs time while others wait for the lock."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import FactType
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.contracts.periods import Interval, IntervalUnit
from avtal.contracts.schedule import Schedule
from avtal.store.accounts.accounts import platform_access
from avtal.store.billing.bill_batch import BillBatch, Named, lock_named
from avtal.store.billing.bill_creation import BillRequest, begin_bills
from avtal.store.billing.bills import MadeInvoice, finish_bills, lock_bill
from avtal.store.billing.facts import append_facts
from avtal.store.billing.subscribers import customer_of
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import NewCallback, due_callbacks, store_callbacks
from avtal.store.queues.outbox import claim_messages, queue_start
from avtal.store.tables import ContractRow, OutboxRow
from tests.store.builders import ACCOUNT, BILL, CONTRACT, KEY, NOW, begun, fact, finish_bill, new_store, sold

RENEWAL = Schedule(anchor=NOW.date(), interval=Interval(unit=IntervalUnit.MONTH)).period(1)


ITS_EVENTS = ["UPDATE", "INSERT"]
"""A change is told with its commit: the next numbers of the feed, and the events."""


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        sold(session)
        customer_of(session, ACCOUNT, "s-1")
    return database


@contextmanager
def asked(database: Database) -> Iterator[list[str]]:
    """The statements of one writing transaction, but for its beginning and end."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement.split(maxsplit=1)[0])

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(database.engine, "before_cursor_execute", note)


def begin(session: Session, contracts: Sequence[str]) -> None:
    """As the activity does."""
    bills = begin_bills(session, [BillRequest(ACCOUNT, contract_id, RENEWAL, 0, NOW) for contract_id in contracts])
    for bill in bills:
        contract = session.get_one(ContractRow, (bill.account, bill.contract_id))
        customer_of(session, ACCOUNT, contract.subscriber_id)
    platform_access(session, Cipher(KEY), ACCOUNT)


@pytest.mark.parametrize("contracts", [["c-1"], ["c-1", "c-2", "c-3"]])
def test_renewals_are_begun_with_two_questions_places_for_the_next_and_one_answer_however_many_they_are(
    database: Database, contracts: list[str]
) -> None:
    with database.write() as session:
        for contract_id in contracts[1:]:
            sold(session, contract_id)
    with asked(database) as statements, database.write() as session:
        begin(session, contracts)

    assert statements == ["SELECT", "SELECT", "INSERT", "INSERT"]


@pytest.mark.parametrize("contracts", [["c-1"], ["c-1", "c-2", "c-3"]])
def test_bills_that_are_made_and_their_facts_are_written_once_each_however_many_they_are(
    database: Database, contracts: list[str]
) -> None:
    made = [MadeInvoice(ACCOUNT, f"{one}:0:r0", invoice(f"Xk29f{one}"), 1000) for one in contracts]
    with database.write() as session:
        for contract_id in contracts[1:]:
            sold(session, contract_id)
        for contract_id in contracts:
            begun(session, contract_id)
    with asked(database) as statements, database.write() as session:
        bills = finish_bills(session, made)

    assert statements == ["SELECT", "SELECT", "UPDATE", "INSERT", *ITS_EVENTS]
    assert [bill.version for bill in bills] == [1] * len(contracts)


def test_payments_are_recorded_with_two_questions_however_many_they_are(database: Database) -> None:
    named = [Named(ACCOUNT, f"Xk29fP{number}", None) for number in range(3)]
    with database.write() as session:
        for one in named:
            sold(session, one.billogram_id)
            finish_bill(session, begun(session, one.billogram_id), invoice(one.billogram_id), 1000)
    with asked(database) as statements, database.write() as session:
        ledger = BillBatch(session, lock_named(session, named))
        bills = [bill for one in named if (bill := ledger.bill(one))]
        for bill in bills:
            ledger.add(bill, [fact(FactType.PAYMENT, 395_00)])
        ledger.write()

    assert statements == ["SELECT", "SELECT", *["INSERT"] * 3, "UPDATE", "INSERT", *ITS_EVENTS]
    assert [bill.status for bill in bills] == ["paid"] * 3


def test_however_many_bills_there_are_those_of_callbacks_and_news_are_found_by_an_index(tmp_path: Path) -> None:
    database = new_store(f"sqlite:///{tmp_path / 'indexed.db'}")
    statements: list[tuple[str, Any]] = []
    with database.write() as session:
        sold(session)
        finish_bill(session, begun(session), invoice(), 1000)
        session.add(OutboxRow(account=ACCOUNT, contract_id="another", bill_id=BILL))
    sa.event.listen(database.engine, "before_cursor_execute", lambda *seen: statements.append((seen[2], seen[3])))
    with database.write() as session:
        BillBatch(session, lock_named(session, [Named(ACCOUNT, "Xk29fPw", None), Named(ACCOUNT, "another", BILL)]))
        claim_messages(session, time.time(), 10)
    asked_of = [one for one in statements if "FROM bills" in one[0] or "FROM facts" in one[0]]
    with database.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in asked_of]
    database.close()

    assert len(plans) == 4
    assert not [step for plan in plans for step in plan if "SCAN" in step[3]]


def test_callbacks_are_stored_once_each_and_with_one_statement(database: Database) -> None:
    first, other = (NewCallback(ACCOUNT, name, "Xk29fPw", "{}", 1000.0) for name in ("cb-1", "cb-2"))
    repeated = first._replace(body="again")
    with asked(database) as statements, database.write() as session:
        are_new = [store_callbacks(session, batch, NOW) for batch in ([first], [first, other, other, repeated])]
        kept = due_callbacks(session, 1000.0, 10)

    assert statements == ["INSERT", "INSERT", "SELECT"]
    assert are_new == [[True], [False, True, False, False]]
    assert [(one.callback_id, one.body) for one in kept] == [("cb-1", "{}"), ("cb-2", "{}")]


def test_what_was_told_goes_with_the_next_lease_and_the_news_is_the_bill_as_it_is_then(database: Database) -> None:
    with database.write() as session:
        finish_bill(session, begun(session), invoice(), 1000)
        session.add(OutboxRow(account=ACCOUNT, contract_id=CONTRACT, bill_id=BILL))
    with database.write() as session:
        (start,) = claim_messages(session, time.time(), 10)
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        append_facts(session, bill, [fact(FactType.PAYMENT, 395_00)], signal=False)
    with database.write() as session:
        queue_start(session, ACCOUNT, "another")
        told = claim_messages(session, time.time() + 60, 10, [start.id])

    assert start.news is None
    assert [(one.contract_id, one.bill_id) for one in told] == [(CONTRACT, BILL), ("another", None)]
    assert told[0].news is not None
    assert told[0].news.status == "paid"


def invoice(billogram_id: str = "Xk29fPw") -> RemoteInvoice:
    return RemoteInvoice(
        billogram_id=billogram_id,
        key=BILL,
        customer_no=1000,
        currency="SEK",
        rows=(),
        is_draft=False,
        total_minor=395_00,
        paid_minor=0,
        remaining_minor=0,
        fee_minor=0,
        vat_minor=79_00,
        rounding_minor=0,
        due_date=None,
        invoice_no=1,
        ocr_number="17",
        url=None,
        facts=(fact(FactType.CREATED), fact(FactType.DISPATCHED)),
    )
