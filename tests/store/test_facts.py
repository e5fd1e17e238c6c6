"""Facts are appended once each, in any order; the contract gets a message if it decides by them."""

from itertools import permutations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.store.billing.facts import append_facts, facts_of
from avtal.store.engine.database import Database
from avtal.store.tables import BillRow, OutboxRow
from avtal.store.tables.snapshots import snapshot_of
from tests.store.builders import ACCOUNT, BILL, NOW, fact, first_period, new_bill, new_contract, start_bill

DISPATCHED = fact(FactType.DISPATCHED, uuid="d")
PAYMENT = fact(FactType.PAYMENT, 395_00, uuid="p")
VIEWED = fact(FactType.OTHER, uuid="v")


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        new_contract(session)
        session.execute(sa.delete(OutboxRow))
    return database


def made(session: Session) -> BillRow:
    bill = new_bill(session)
    bill.made = True
    append_facts(session, bill, [DISPATCHED], signal=False)
    return bill


def messages(session: Session) -> list[str | None]:
    return list(session.scalars(sa.select(OutboxRow.bill_id)))


def test_repeated_fact_changes_nothing(database: Database) -> None:
    with database.write() as session:
        bill = made(session)
        rose = [append_facts(session, bill, [PAYMENT]), append_facts(session, bill, [PAYMENT])]
        session.flush()

        assert rose == [True, False]
        assert [known.type for known in facts_of(session, bill)] == [FactType.DISPATCHED, FactType.PAYMENT]
        assert messages(session) == [BILL]


def test_order_of_facts_does_not_matter(database: Database) -> None:
    outcomes = set()
    for order in permutations([DISPATCHED, PAYMENT, VIEWED]):
        with database.write() as session:
            bill = new_bill(session)
            bill.made = True
            for one in order:
                append_facts(session, bill, [one])
            outcomes.add((bill.status, bill.remaining_minor, bill.dispatched_on))
            session.rollback()

    assert len(outcomes) == 1
    assert next(iter(outcomes))[:2] == (BillStatus.PAID, 0)


def test_indecisive_fact_is_stored_without_a_message(database: Database) -> None:
    with database.write() as session:
        bill = made(session)
        version = bill.version
        rose = append_facts(session, bill, [VIEWED])

        assert not rose
        assert bill.version == version
        assert messages(session) == []


def test_creating_bill_queues_no_message(database: Database) -> None:
    with database.write() as session:
        bill = new_bill(session)
        rose = append_facts(session, bill, [DISPATCHED, PAYMENT])

        assert rose
        assert bill.status == BillStatus.CREATING
        assert messages(session) == []


def test_period_has_at_most_one_bill_that_is_not_void(database: Database) -> None:
    with database.write() as session:
        first = new_bill(session)
        second = start_bill(session, ACCOUNT, first.contract_id, first_period(), 1, NOW)
        states = [(first.void, first.status), (second.void, second.status)]
        restarted = new_bill(session)

        assert states == [(True, BillStatus.VOID), (False, BillStatus.CREATING)]
        assert snapshot_of(restarted).bill_id == second.bill_id
        first.void = False
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()
