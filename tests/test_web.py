"""The web process: its readiness, the reasons it gives, and the leases that it releases."""

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

from avtal.relay.health import relay_problem
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.queues.lease import Backlog
from avtal.store.tables import CallbackRow, OutboxRow
from tests.processes import environment, migrated_store, readiness_errors, running_process, wait_until
from tests.store.builders import ACCOUNT, NOW, new_account, new_contract


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def execute(data_dir: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data_dir / "avtal.db", timeout=30)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_web_is_live_but_not_ready_while_temporal_is_unavailable(tmp_path: Path) -> None:
    migrated_store(tmp_path)
    with running_process("web", environment(tmp_path, "127.0.0.1:1")) as (_, base):
        wait_until(lambda: "relay" not in readiness_errors(base))

        assert readiness_errors(base) == {"temporal": "does not respond; see TEMPORAL_ADDRESS"}


def test_store_is_not_ready_with_another_schema_or_a_missing_table(tmp_path: Path) -> None:
    migrated_store(tmp_path)
    with running_process("web", environment(tmp_path, "127.0.0.1:1")) as (_, base):
        wait_until(lambda: readiness_errors(base).keys() == {"temporal"})
        execute(tmp_path, "DROP TABLE facts")
        dropped = readiness_errors(base)["store"]
        execute(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
        newer = readiness_errors(base)["store"]

    assert newer == "the schema is newer than this process knows; deploy the newer release"
    assert dropped == "tables are missing: facts; run `avtal migrate` if the store is new"


def test_relay_is_not_ready_when_work_is_a_minute_late(tmp_path: Path) -> None:
    """A process that hangs keeps its leases: no other process tries its work."""
    database = open_store(migrated_store(tmp_path))
    late = time.time() - 100
    with running_process("web", environment(tmp_path, "127.0.0.1:1")) as (_, base):
        wait_until(lambda: readiness_errors(base).keys() == {"temporal"})
        with database.write() as session:
            session.add(
                OutboxRow(account=ACCOUNT, contract_id="c-1", next_attempt_at=late, leased_until=time.time() + 1000)
            )
        outbox_late = readiness_errors(base)["relay"]
        with database.write() as session:
            session.add(CallbackRow(**callback(late)))
        both_late = readiness_errors(base)["relay"]
        metrics = httpx.get(f"{base}/metrics").text
    database.close()

    assert outbox_late == "is more than 60 s late with work of the outbox"
    assert both_late == "is more than 60 s late with work of the inbox and the outbox"
    assert 'avtal_relay_due_rows{queue="inbox"} 1.0' in metrics
    assert re.search(r'avtal_relay_oldest_due_seconds\{queue="outbox"\} 1\d\d\.', metrics)


def test_relay_is_not_ready_when_it_has_not_polled_for_thirty_seconds() -> None:
    assert relay_problem(31.0, {}) == "does not poll for work"
    assert relay_problem(29.0, {"inbox": Backlog(rows=1, oldest_seconds=59.0)}) is None


def test_stopped_web_releases_its_leases(tmp_path: Path, silent_server: str) -> None:
    database = open_store(migrated_store(tmp_path))
    new_account(database)
    with running_process("web", environment(tmp_path, silent_server)) as (process, _):
        with database.write() as session:
            new_contract(session)
        wait_until(lambda: lease(database) > time.time())
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        leased_until = lease(database)
    database.close()

    assert leased_until == 0.0


def lease(database: Database) -> float:
    with database.read() as session:
        return session.query(OutboxRow).one().leased_until


def callback(next_attempt_at: float) -> dict[str, object]:
    return {
        "account": ACCOUNT, "callback_id": "one", "group_key": "x", "received_at": NOW, "body": "{}", "state": "new",
        "next_attempt_at": next_attempt_at, "give_up_at": next_attempt_at + 1, "leased_until": time.time() + 1000,
    }  # fmt: skip
