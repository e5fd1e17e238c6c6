"""The web as a process: it is ready only if all that it needs works, says what does not, and leaves nothing held."""

import re
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from avtal.relay.queues import relay_trouble
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.queues.inbox import Backlog
from avtal.store.tables import CallbackRow, OutboxRow
from tests.processes import environment, migrated, running, troubles, until
from tests.store.builders import ACCOUNT, NOW, make_account, sold


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def changed(data_dir: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data_dir / "avtal.db", timeout=30)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_web_whose_temporal_is_away_is_up_and_names_temporal_alone(tmp_path: Path) -> None:
    migrated(tmp_path)
    with running("web", environment(tmp_path, "127.0.0.1:1")) as (_, base):
        until(lambda: "relay" not in troubles(base))

        assert troubles(base) == {"temporal": "does not answer; see TEMPORAL_ADDRESS"}


def test_a_dropped_table_or_another_schema_is_a_trouble_of_the_store(tmp_path: Path) -> None:
    migrated(tmp_path)
    with running("web", environment(tmp_path, "127.0.0.1:1")) as (_, base):
        until(lambda: troubles(base).keys() == {"temporal"})
        changed(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
        newer = troubles(base)["store"]
        changed(tmp_path, "DROP TABLE facts")
        dropped = troubles(base)["store"]

    assert newer == "the schema is newer than this process knows; deploy the newer release"
    assert dropped == "tables are missing: facts; run `avtal migrate` if the store is new"


def test_a_relay_is_not_ready_while_what_is_due_for_a_minute_is_not_tried(tmp_path: Path) -> None:
    """A process that hangs holds its leases: nobody else tries what it took."""
    database = open_store(migrated(tmp_path))
    late = time.time() - 100
    with running("web", environment(tmp_path, "127.0.0.1:1")) as (_, base):
        until(lambda: troubles(base).keys() == {"temporal"})
        with database.write() as session:
            session.add(
                OutboxRow(account=ACCOUNT, contract_id="c-1", next_attempt_at=late, leased_until=time.time() + 1000)
            )
        told = troubles(base)["relay"]
        with database.write() as session:
            session.add(CallbackRow(**callback(late)))
        also = troubles(base)["relay"]
        figures = httpx.get(f"{base}/metrics").text
    database.close()

    assert told == "is more than 60 s late with work of the outbox"
    assert also == "is more than 60 s late with work of the inbox and the outbox"
    assert 'avtal_relay_due_rows{box="inbox"} 1.0' in figures
    assert re.search(r'avtal_relay_oldest_due_seconds\{box="outbox"\} 1\d\d\.', figures)


def test_a_relay_that_has_not_looked_for_half_a_minute_is_not_ready() -> None:
    assert relay_trouble(31.0, {}) == "does not look for work"
    assert relay_trouble(29.0, {"inbox": Backlog(rows=1, oldest_seconds=59.0)}) is None


def test_a_stopped_web_gives_back_at_once_what_it_is_working_on(tmp_path: Path, silent: str) -> None:
    database = open_store(migrated(tmp_path))
    make_account(database)
    with running("web", environment(tmp_path, silent)) as (process, _):
        with database.write() as session:
            sold(session)
        until(lambda: lease(database) > time.time())
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        left = lease(database)
    database.close()

    assert left == 0.0


def lease(database: Database) -> float:
    with database.read() as session:
        return session.query(OutboxRow).one().leased_until


def callback(next_attempt_at: float) -> dict[str, object]:
    return {
        "account": ACCOUNT, "callback_id": "one", "group_key": "x", "received_at": NOW, "body": "{}", "state": "new",
        "next_attempt_at": next_attempt_at, "give_up_at": next_attempt_at + 1, "leased_until": time.time() + 1000,
    }  # fmt: skip
