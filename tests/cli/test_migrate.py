"""`avtal migrate`: the store, and with --temporal the namespace."""

import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from avtal.store.engine.database import Database
from avtal.store.engine.migrate import SchemaState, schema_state
from avtal.store.opening import open_store
from tests.cli.running import avtal, done, refused


@pytest.fixture
def namespace(temporal: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A namespace that is not there yet, and the environment that leads to it."""
    name = f"n-{uuid.uuid4().hex}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", name)
    return name


def test_temporal_is_prepared_once_and_a_repeat_says_that_all_was_there(namespace: str, data_dir: Path) -> None:
    first, second = (done("migrate", "--temporal").splitlines() for _ in range(2))

    assert first[0] == f"made the namespace {namespace}, which keeps what has closed for 72 h"
    assert first[1].startswith("registered AvtalAccount, ")
    assert second == [f"the namespace {namespace} has all that contracts need"]
    assert not data_dir.exists()


def test_retention_is_given_in_hours_or_days(namespace: str) -> None:
    assert "closed for 240 h" in done("migrate", "--temporal", "--retention", "10d")
    assert done("migrate", "--temporal", "--retention", "96h").endswith(
        f"{namespace} keeps of what has closed from 240 h to 96 h\n"
    )


def test_with_temporal_away_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    assert refused("migrate", "--temporal").startswith("Temporal does not answer at 127.0.0.1:1")


@pytest.mark.parametrize(
    "options",
    [
        ["--temporal", "--retention", "soon"],
        ["--temporal", "--retention", "3h"],
        ["--retention", "72h"],
        ["--wait", "5"],
    ],
)
def test_wrong_usage_is_2(options: list[str]) -> None:
    assert avtal("migrate", *options).exit_code == 2


def test_the_store_alone_is_migrated_without_temporal(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    assert [done("migrate") for _ in range(2)] == ["the store has the newest schema\n"] * 2
    database = open_store(f"sqlite:///{data_dir / 'avtal.db'}")
    assert schema_state(database) is SchemaState.NEWEST
    database.close()


def test_a_store_of_newer_code_is_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('9999')"))

    assert schema_state(database) is SchemaState.NEWER
    assert "newer schema than this release" in refused("migrate")
