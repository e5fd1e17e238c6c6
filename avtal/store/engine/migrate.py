"""Brings a database to the newest schema; run again, it changes nothing. Tells which schema a database has."""

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


class SchemaNewer(Exception):
    """The database was migrated by newer code than this."""


class SchemaMismatch(RuntimeError):
    """The store has not the tables that this code expects."""


class SchemaState(StrEnum):
    NEWEST = "newest"
    OLDER = "older"
    NEWER = "newer"
    NONE = "none"


def migrate(url: str, revision: str = "head") -> None:
    """Raises SchemaNewer."""
    database = Database(url)
    try:
        state = schema_state(database)
    finally:
        database.close()
    if state is SchemaState.NEWER:
        raise SchemaNewer("it has a newer schema than this release of Avtal knows; deploy the newer release")
    command.upgrade(_config(url), revision)


def schema_state(database: Database) -> SchemaState:
    with database.engine.connect() as connection:
        return _state(connection)


def check_schema(session: Session) -> None:
    """Raises SchemaMismatch, with words that say what to do."""
    there = set(sa.inspect(session.connection()).get_table_names())
    missing = sorted({*Table.metadata.tables, "alembic_version"} - there)
    if missing:
        raise SchemaMismatch(f"tables are missing: {', '.join(missing)}; run `avtal migrate` if the store is new")
    state = _state(session.connection())
    if state is SchemaState.NEWER:
        raise SchemaMismatch("the schema is newer than this process knows; deploy the newer release")
    if state is not SchemaState.NEWEST:
        raise SchemaMismatch("the schema is older than this process needs: run `avtal migrate`")


def revisions() -> list[str]:
    """Every revision there is, oldest first."""
    return list(_revisions())


def _state(connection: sa.Connection) -> SchemaState:
    heads = MigrationContext.configure(connection).get_current_heads()
    if not heads:
        return SchemaState.NONE
    if heads == _revisions()[-1:]:
        return SchemaState.NEWEST
    return SchemaState.OLDER if set(heads) <= set(_revisions()) else SchemaState.NEWER


@cache
def _revisions() -> tuple[str, ...]:
    script = ScriptDirectory.from_config(_config(""))
    return tuple(revision.revision for revision in script.walk_revisions())[::-1]


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.attributes["url"] = url
    return config
