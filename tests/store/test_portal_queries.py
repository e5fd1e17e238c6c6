"""The portal's queries, on each kind of database."""

import pytest

from avtal.contracts.bills.bill import Parked, ParkedReason
from avtal.store.billing.bills import park_bill
from avtal.store.engine.database import Database
from avtal.store.queries.portal import ContractFilter, bills_page, contracts_page, parked_bills, parked_counts
from tests.portal.pages import bill, sell
from tests.store.builders import ACCOUNT


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        for name in ("a", "b", "c"):
            sell(session, name)
        for period in range(3):
            bill(session, "b", period)
        park_bill(session, bill(session, "c"), Parked(reason=ParkedReason.REFUSED), "")
    return database


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (ContractFilter(), ["a", "b", "c"]),
        (ContractFilter(identity="b"), ["b"]),
        (ContractFilter(identity="s-c"), ["c"]),
        (ContractFilter(identity=""), []),
        (ContractFilter(status="ended"), []),
        (ContractFilter(access="on", is_parked=True), ["c"]),
    ],
)
def test_contracts_are_filtered(database: Database, conditions: ContractFilter, expected: list[str]) -> None:
    with database.read() as session:
        found = contracts_page(session, ACCOUNT, conditions, after="", limit=10)

    assert [one.contract_id for one in found] == expected


def test_next_page_starts_after_the_last_row(database: Database) -> None:
    with database.read() as session:
        contracts = contracts_page(session, ACCOUNT, ContractFilter(), after="a", limit=1)
        newest = bills_page(session, ACCOUNT, "b", before=None, limit=2)
        older = bills_page(session, ACCOUNT, "b", before=(1, 0), limit=2)

    assert [one.contract_id for one in contracts] == ["b"]
    assert [[one.period_no for one in page] for page in (newest, older)] == [[2, 1], [0]]


def test_parked_bills_are_counted_and_listed(database: Database) -> None:
    with database.read() as session:
        assert parked_counts(session, ACCOUNT, ["a", "b", "c"]) == {"c": 1}
        assert [one.bill_id for one in parked_bills(session, ACCOUNT, "c", 10)] == ["c:0:r0"]
        assert parked_bills(session, "other", "c", 10) == []
