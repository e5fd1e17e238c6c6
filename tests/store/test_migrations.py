"""The migrations make exactly the tables that the code expects, and what an earlier release stored goes on."""

import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.store.accounts.accounts import current_policy, platform_access
from avtal.store.billing.facts import append_facts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.engine.migrate import SchemaState, migrate, revisions, schema_state
from avtal.store.opening import open_store
from avtal.store.queries.bills import bills_of_contract, history
from avtal.store.queries.contracts import contract
from avtal.store.queues.outbox import messages_in_flight
from avtal.store.tables import Table
from tests.store.builders import ACCOUNT, BILL, CALLBACK_KEY, CONTRACT, KEY, NOW, begun, come, fact, new_store, sold
from tests.store.keeping import Rows, keep_rows, kept_rows, put_rows, rows_of

NEWEST = revisions()[-1]


@pytest.fixture(scope="session")
def todays_rows(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Rows:
    """A store in which something of everything has happened, written by the code as it is."""
    database = new_store(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'avtal.db'}")
    with database.write() as session:
        sold(session)
        bill = begun(session)
        bill.made = True
        append_facts(session, bill, [fact(FactType.DISPATCHED, uuid="d"), fact(FactType.PAYMENT, 100_00, uuid="p")])
        come(session, "cb-1", "b-1", came_at=NOW.timestamp())
    rows = rows_of(database.engine)
    database.close()
    if pytestconfig.getoption("--record-rows"):
        keep_rows(NEWEST, rows)
    return rows


def test_migrating_an_empty_store_twice_makes_the_tables_of_the_schema(store_url: str) -> None:
    database = open_store(store_url)
    before = schema_state(database)
    migrate(store_url)
    migrate(store_url)

    assert before is SchemaState.NONE
    assert differences(database) == []
    assert schema_state(database) is SchemaState.NEWEST
    database.close()


@pytest.mark.parametrize("revision", revisions())
def test_what_was_stored_under_an_earlier_schema_is_read_and_goes_on_under_the_newest(
    store_url: str, revision: str, todays_rows: Rows
) -> None:
    """Rows of earlier releases are kept as their own code wrote them; nothing here writes an old schema."""
    migrate(store_url, revision)
    database = open_store(store_url)
    put_rows(database.engine, todays_rows if revision == NEWEST else kept_rows(revision))
    migrate(store_url)

    assert differences(database) == []
    check_that_it_goes_on(database)
    database.close()


def check_that_it_goes_on(database: Database) -> None:
    with database.read() as session:
        access = platform_access(session, Cipher(KEY), ACCOUNT)
        policy = current_policy(session, ACCOUNT)
        stored = contract(session, ACCOUNT, CONTRACT)
        [bill] = bills_of_contract(session, ACCOUNT, CONTRACT)
        known = [one.type for one in history(session, ACCOUNT, BILL)]
        waiting = messages_in_flight(session, time.time())
    with database.write() as session:
        begun_again = begun(session)
        append_facts(session, begun_again, [fact(FactType.PAYMENT, begun_again.remaining_minor, uuid="p2")])
        paid = begun_again.status

    assert access is not None
    assert access.callback_keys == (CALLBACK_KEY,)
    assert policy[0] == 1
    assert stored is not None
    assert stored.schedule.anchor == NOW.date()
    assert bill.status == BillStatus.OPEN
    assert known == [FactType.DISPATCHED, FactType.PAYMENT]
    assert waiting > 0
    assert paid == BillStatus.PAID


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Table.metadata))


def test_rows_of_an_earlier_release_that_nobody_kept_are_asked_for() -> None:
    with pytest.raises(AssertionError, match="--record-rows"):
        kept_rows("none")
