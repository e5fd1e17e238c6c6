"""Facts enter a bill by one door: each once, in any order, and the contract hears of what it decides by."""

from itertools import permutations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.store.billing.bills import snapshot_of
from avtal.store.billing.facts import append_facts, facts_of
from avtal.store.engine.database import Database
from avtal.store.tables import BillRow, OutboxRow
from tests.store.builders import ACCOUNT, BILL, NOW, begin_bill, begun, fact, first_period, sold

DISPATCHED = fact(FactType.DISPATCHED, uuid="d")
PAYMENT = fact(FactType.PAYMENT, 395_00, uuid="p")
VIEWED = fact(FactType.OTHER, uuid="v")


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        sold(session)
        session.execute(sa.delete(OutboxRow))
    return database


def made(session: Session) -> BillRow:
    bill = begun(session)
    bill.made = True
    append_facts(session, bill, [DISPATCHED], signal=False)
    return bill


def told(session: Session) -> list[str | None]:
    return list(session.scalars(sa.select(OutboxRow.bill_id)))


def test_a_fact_that_comes_again_is_known_and_changes_nothing(database: Database) -> None:
    with database.write() as session:
        bill = made(session)
        rose = [append_facts(session, bill, [PAYMENT]), append_facts(session, bill, [PAYMENT])]
        session.flush()

        assert rose == [True, False]
        assert [known.type for known in facts_of(session, bill)] == [FactType.DISPATCHED, FactType.PAYMENT]
        assert told(session) == [BILL]


def test_the_order_of_coming_does_not_matter(database: Database) -> None:
    outcomes = set()
    for order in permutations([DISPATCHED, PAYMENT, VIEWED]):
        with database.write() as session:
            bill = begun(session)
            bill.made = True
            for one in order:
                append_facts(session, bill, [one])
            outcomes.add((bill.status, bill.remaining_minor, bill.dispatched_on))
            session.rollback()

    assert len(outcomes) == 1
    assert next(iter(outcomes))[:2] == (BillStatus.PAID, 0)


def test_what_the_contract_does_not_decide_by_is_kept_and_not_told(database: Database) -> None:
    with database.write() as session:
        bill = made(session)
        version = bill.version
        rose = append_facts(session, bill, [VIEWED])

        assert not rose
        assert bill.version == version
        assert told(session) == []


def test_a_bill_that_is_being_made_is_told_by_its_maker_alone(database: Database) -> None:
    with database.write() as session:
        bill = begun(session)
        rose = append_facts(session, bill, [DISPATCHED, PAYMENT])

        assert rose
        assert bill.status == BillStatus.CREATING
        assert told(session) == []


def test_a_period_has_at_most_one_bill_that_is_not_void(database: Database) -> None:
    with database.write() as session:
        first = begun(session)
        second = begin_bill(session, ACCOUNT, first.contract_id, first_period(), 1, NOW)
        states = [(first.void, first.status), (second.void, second.status)]
        again = begun(session)

        assert states == [(True, BillStatus.VOID), (False, BillStatus.CREATING)]
        assert snapshot_of(again).bill_id == second.bill_id
        first.void = False
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()
