"""Statements of the most frequent transactions: each costs time while other writers wait for the lock."""

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
from avtal.store.accounts.accounts import platform_credentials
from avtal.store.billing.bill_creation import BillRequest, start_bills
from avtal.store.billing.bill_locks import BillReference, lock_bill, lock_referenced_bills
from avtal.store.billing.bills import MadeInvoice, finish_bills
from avtal.store.billing.facts import BillBatch, append_facts
from avtal.store.billing.subscribers import ensure_customer
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import NewCallback, claim_callbacks, store_callbacks
from avtal.store.queues.outbox import claim_messages, delete_messages, queue_start
from avtal.store.tables import ContractRow, OutboxRow
from tests.store.builders import ACCOUNT, BILL, CONTRACT, KEY, NOW, fact, finish_bill, new_bill, new_contract, new_store

RENEWAL = Schedule(anchor=NOW.date(), interval=Interval(unit=IntervalUnit.MONTH)).period(1)
EVENTS = ["UPDATE", "INSERT"]
"""The event feed's statements: take numbers, insert events."""


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        new_contract(session)
        ensure_customer(session, ACCOUNT, "s-1")
    return database


@contextmanager
def recorded(database: Database) -> Iterator[list[str]]:
    """The statements of one write transaction, without BEGIN and COMMIT."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement.split(maxsplit=1)[0])

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(database.engine, "before_cursor_execute", note)


def start(session: Session, contracts: Sequence[str]) -> None:
    """As the activity does."""
    bills = start_bills(session, [BillRequest(ACCOUNT, contract_id, RENEWAL, 0, NOW) for contract_id in contracts])
    for bill in bills:
        contract = session.get_one(ContractRow, (bill.account, bill.contract_id))
        ensure_customer(session, ACCOUNT, contract.subscriber_id)
    platform_credentials(session, Cipher(KEY), ACCOUNT)


@pytest.mark.parametrize("contracts", [["c-1"], ["c-1", "c-2", "c-3"]])
def test_starting_any_number_of_bills_takes_four_statements(database: Database, contracts: list[str]) -> None:
    with database.write() as session:
        for contract_id in contracts[1:]:
            new_contract(session, contract_id)
    with recorded(database) as statements, database.write() as session:
        start(session, contracts)

    assert statements == ["SELECT", "SELECT", "INSERT", "INSERT"]  # bills, sources; start slots, bills


@pytest.mark.parametrize("contracts", [["c-1"], ["c-1", "c-2", "c-3"]])
def test_finishing_any_number_of_bills_takes_six_statements(database: Database, contracts: list[str]) -> None:
    made = [MadeInvoice(ACCOUNT, f"{one}:0:r0", invoice(f"Xk29f{one}"), 1000) for one in contracts]
    with database.write() as session:
        for contract_id in contracts[1:]:
            new_contract(session, contract_id)
        for contract_id in contracts:
            new_bill(session, contract_id)
    with recorded(database) as statements, database.write() as session:
        bills = finish_bills(session, made)

    assert statements == ["SELECT", "SELECT", "UPDATE", "INSERT", *EVENTS]
    assert [bill.version for bill in bills] == [1] * len(contracts)


def test_payments_of_any_number_of_bills_are_read_with_two_statements(database: Database) -> None:
    references = [BillReference(ACCOUNT, f"Xk29fP{number}", None) for number in range(3)]
    with database.write() as session:
        for one in references:
            new_contract(session, one.billogram_id)
            finish_bill(session, new_bill(session, one.billogram_id), invoice(one.billogram_id), 1000)
    with recorded(database) as statements, database.write() as session:
        batch = BillBatch(session, lock_referenced_bills(session, references))
        bills = [bill for one in references if (bill := batch.bill(one))]
        for bill in bills:
            batch.append_facts(bill, [fact(FactType.PAYMENT, 395_00)])
        batch.write()

    assert statements == ["SELECT", "SELECT", *["INSERT"] * 3, "UPDATE", "INSERT", *EVENTS]
    assert [bill.status for bill in bills] == ["paid"] * 3


def test_bills_of_callbacks_and_messages_are_found_by_index(tmp_path: Path) -> None:
    database = new_store(f"sqlite:///{tmp_path / 'indexed.db'}")
    statements: list[tuple[str, Any]] = []
    with database.write() as session:
        new_contract(session)
        finish_bill(session, new_bill(session), invoice(), 1000)
        session.add(OutboxRow(account=ACCOUNT, contract_id="another", bill_id=BILL))
    sa.event.listen(database.engine, "before_cursor_execute", lambda *seen: statements.append((seen[2], seen[3])))
    with database.write() as session:
        references = [BillReference(ACCOUNT, "Xk29fPw", None), BillReference(ACCOUNT, "another", BILL)]
        BillBatch(session, lock_referenced_bills(session, references))
        claim_messages(session, time.time(), 10)
    reads = [one for one in statements if "FROM bills" in one[0] or "FROM facts" in one[0]]
    with database.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in reads]
    database.close()

    assert len(plans) == 4
    assert not [step for plan in plans for step in plan if "SCAN" in step[3]]


def test_repeated_callbacks_are_stored_once(database: Database) -> None:
    first, other = (NewCallback(ACCOUNT, name, f"of {name}", "{}", 1000.0) for name in ("cb-1", "cb-2"))
    repeated = first._replace(body="again")
    with recorded(database) as statements, database.write() as session:
        are_new = [store_callbacks(session, batch, NOW) for batch in ([first], [first, other, other, repeated])]
        stored = claim_callbacks(session, 1000.0, 10)

    assert statements == ["INSERT", "INSERT", "SELECT", "UPDATE"]
    assert are_new == [[True], [False, True, False, False]]
    assert [(one.callback_id, one.body) for one in stored] == [("cb-1", "{}"), ("cb-2", "{}")]


def test_claimed_message_holds_the_bill_as_it_is_now(database: Database) -> None:
    with database.write() as session:
        finish_bill(session, new_bill(session), invoice(), 1000)
        session.add(OutboxRow(account=ACCOUNT, contract_id=CONTRACT, bill_id=BILL))
    with database.write() as session:
        (start,) = claim_messages(session, time.time(), 10)
    with database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        append_facts(session, bill, [fact(FactType.PAYMENT, 395_00)], signal=False)
    with database.write() as session:
        queue_start(session, ACCOUNT, "another")
        delete_messages(session, [start.id])
        claimed = claim_messages(session, time.time() + 60, 10)

    assert start.snapshot is None
    assert [(one.contract_id, one.bill_id) for one in claimed] == [(CONTRACT, BILL), ("another", None)]
    assert claimed[0].snapshot is not None
    assert claimed[0].snapshot.status == "paid"


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
