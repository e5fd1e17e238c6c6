"""`avtal migrate`: the store, and with --temporal the namespace."""

import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from avtal.store.engine.database import Database
from avtal.store.engine.migrate import SchemaState, schema_state
from avtal.store.opening import open_store
from tests.cli.command import avtal, refused, succeeded


@pytest.fixture
def namespace(temporal: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a namespace that does not exist yet, set in the environment."""
    name = f"n-{uuid.uuid4().hex}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", name)
    return name


def test_a_second_migration_of_temporal_changes_nothing(namespace: str, data_dir: Path) -> None:
    first, second = (succeeded("migrate", "--temporal").splitlines() for _ in range(2))

    assert first[0] == f"created the namespace {namespace} with a retention of 72 h"
    assert first[1].startswith("registered AvtalAccount, ")
    assert second == [f"the namespace {namespace} has all that contracts need"]
    assert not data_dir.exists()


def test_retention_is_given_in_hours_or_days(namespace: str) -> None:
    assert "a retention of 240 h" in succeeded("migrate", "--temporal", "--retention", "10d")
    assert succeeded("migrate", "--temporal", "--retention", "96h").endswith(
        f"the retention of {namespace} from 240 h to 96 h\n"
    )


def test_an_unreachable_temporal_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    assert refused("migrate", "--temporal").startswith("Temporal does not respond at 127.0.0.1:1")


@pytest.mark.parametrize(
    "options",
    [
        ["--temporal", "--retention", "soon"],
        ["--temporal", "--retention", "3h"],
        ["--retention", "72h"],
        ["--wait", "5"],
    ],
)
def test_wrong_options_exit_with_2(options: list[str]) -> None:
    assert avtal("migrate", *options).exit_code == 2


def test_the_store_is_migrated_without_temporal(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    assert [succeeded("migrate") for _ in range(2)] == ["the store has the newest schema\n"] * 2
    database = open_store(f"sqlite:///{data_dir / 'avtal.db'}")
    assert schema_state(database) is SchemaState.NEWEST
    database.close()


def test_a_store_of_a_newer_release_is_not_migrated(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('9999')"))

    assert schema_state(database) is SchemaState.NEWER
    assert "newer schema than this release" in refused("migrate")
