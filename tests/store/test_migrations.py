"""Migrations create exactly the tables that the code expects, and rows of earlier releases stay usable."""

import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.store.accounts.accounts import current_policy, platform_credentials
from avtal.store.billing.facts import append_facts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.engine.migrate import (
    UNRELEASED_REVISIONS,
    SchemaMismatch,
    SchemaRefused,
    SchemaState,
    check_schema,
    migrate,
    revisions,
    schema_state,
)
from avtal.store.opening import open_store
from avtal.store.queries.bills import bills_of_contract, history
from avtal.store.queries.contracts import contract
from avtal.store.queues.outbox import messages_in_flight
from avtal.store.tables import Table
from tests.store.builders import (
    ACCOUNT,
    BILL,
    CALLBACK_KEY,
    CONTRACT,
    KEY,
    NOW,
    fact,
    new_bill,
    new_callback,
    new_contract,
    new_store,
)
from tests.store.row_files import Rows, insert_rows, read_rows, record_rows, recorded_rows

NEWEST = revisions()[-1]


@pytest.fixture(scope="session")
def current_rows(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Rows:
    """Rows that the current code has written, of most tables."""
    database = new_store(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'avtal.db'}")
    with database.write() as session:
        new_contract(session)
        bill = new_bill(session)
        bill.made = True
        append_facts(session, bill, [fact(FactType.DISPATCHED, uuid="d"), fact(FactType.PAYMENT, 100_00, uuid="p")])
        new_callback(session, "cb-1", "b-1", stored_at=NOW.timestamp())
    rows = read_rows(database.engine)
    database.close()
    if pytestconfig.getoption("--record-rows"):
        record_rows(NEWEST, rows)
    return rows


def test_migrating_twice_creates_the_tables_of_the_schema(store_url: str) -> None:
    database = open_store(store_url)
    before = schema_state(database)
    migrate(store_url)
    migrate(store_url)

    assert before is SchemaState.NONE
    assert differences(database) == []
    assert schema_state(database) is SchemaState.NEWEST
    database.close()


@pytest.mark.parametrize("revision", revisions())
def test_rows_of_an_earlier_schema_are_usable_after_migration(
    store_url: str, revision: str, current_rows: Rows
) -> None:
    """Rows of earlier releases were recorded with their own code; no test writes an old schema."""
    migrate(store_url, revision)
    database = open_store(store_url)
    insert_rows(database.engine, current_rows if revision == NEWEST else recorded_rows(revision))
    migrate(store_url)

    assert differences(database) == []
    check_that_it_is_usable(database)
    database.close()


def check_that_it_is_usable(database: Database) -> None:
    with database.read() as session:
        credentials = platform_credentials(session, Cipher(KEY), ACCOUNT)
        policy = current_policy(session, ACCOUNT)
        stored = contract(session, ACCOUNT, CONTRACT)
        [bill] = bills_of_contract(session, ACCOUNT, CONTRACT)
        known = [one.type for one in history(session, ACCOUNT, BILL)]
        waiting = messages_in_flight(session, time.time())
    with database.write() as session:
        restarted = new_bill(session)
        append_facts(session, restarted, [fact(FactType.PAYMENT, restarted.remaining_minor, uuid="p2")])
        paid = restarted.status

    assert credentials is not None
    assert credentials.callback_keys == (CALLBACK_KEY,)
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


def test_missing_rows_of_a_release_say_how_to_record_them() -> None:
    with pytest.raises(AssertionError, match="--record-rows"):
        recorded_rows("none")


@pytest.mark.parametrize("revision", sorted(UNRELEASED_REVISIONS))
def test_store_from_before_the_first_release_is_refused(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})

    assert schema_state(database) is SchemaState.UNRELEASED
    with pytest.raises(SchemaRefused, match=r"move the data folder aside .* and start anew$"):
        migrate(database.url)
    with database.read() as session, pytest.raises(SchemaMismatch, match="move the data folder aside"):
        check_schema(session)
    assert schema_state(database) is SchemaState.UNRELEASED
