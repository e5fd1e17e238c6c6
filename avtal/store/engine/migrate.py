"""Brings a database to the newest schema, and reports which schema a database has."""

from enum import StrEnum
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from avtal.store.engine.database import Database
from avtal.store.tables import Table

HERE = Path(__file__).parent
UNRELEASED_REVISIONS = frozenset({"0001", "0002"})
"""The ids of schemas before the first release, which nothing converts. No new migration may take one of these ids."""


class SchemaRefused(Exception):
    """`migrate` does not migrate this database; the text says what to do."""


class SchemaMismatch(RuntimeError):
    """The database does not have the tables that this code expects; the text says what to do."""


class SchemaState(StrEnum):
    NEWEST = "newest"
    OLDER = "older"
    NEWER = "newer"
    UNRELEASED = "unreleased"
    """Written before the first release."""
    NONE = "none"


UNRELEASED_TEXT = (
    "the store was written before the first release and can't be converted: move the data folder aside (or take an"
    " empty database) and start anew"
)
REFUSALS = {
    SchemaState.NEWER: "it has a newer schema than this release of Avtal knows; deploy the newer release",
    SchemaState.UNRELEASED: UNRELEASED_TEXT,
}
MISMATCHES = {
    SchemaState.OLDER: "the schema is older than this process needs: run `avtal migrate`",
    SchemaState.NEWER: "the schema is newer than this process knows; deploy the newer release",
    SchemaState.UNRELEASED: UNRELEASED_TEXT,
    SchemaState.NONE: "the store has no schema: run `avtal migrate`",
}


def migrate(url: str, revision: str = "head") -> None:
    """Changes nothing if the schema is the newest. Raises SchemaRefused."""
    database = Database(url)
    try:
        state = schema_state(database)
    finally:
        database.close()
    if state in REFUSALS:
        raise SchemaRefused(REFUSALS[state])
    command.upgrade(_config(url), revision)


def schema_state(database: Database) -> SchemaState:
    with database.engine.connect() as connection:
        return _state(connection)


def check_schema(session: Session) -> None:
    """Raises SchemaMismatch."""
    state = _state(session.connection())
    if state in REFUSALS:
        raise SchemaMismatch(MISMATCHES[state])
    tables = set(sa.inspect(session.connection()).get_table_names())
    missing = sorted({*Table.metadata.tables, "alembic_version"} - tables)
    if missing:
        raise SchemaMismatch(f"tables are missing: {', '.join(missing)}; run `avtal migrate` if the store is new")
    if state is not SchemaState.NEWEST:
        raise SchemaMismatch(MISMATCHES[state])


def revisions() -> list[str]:
    """All revisions, oldest first."""
    return list(_revisions())


def _state(connection: sa.Connection) -> SchemaState:
    heads = set(MigrationContext.configure(connection).get_current_heads())
    if not heads:
        return SchemaState.NONE
    if heads == {_revisions()[-1]}:
        return SchemaState.NEWEST
    if heads & UNRELEASED_REVISIONS:
        return SchemaState.UNRELEASED
    return SchemaState.OLDER if heads <= set(_revisions()) else SchemaState.NEWER


@cache
def _revisions() -> tuple[str, ...]:
    script = ScriptDirectory.from_config(_config(""))
    return tuple(revision.revision for revision in script.walk_revisions())[::-1]


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.attributes["url"] = url
    return config
