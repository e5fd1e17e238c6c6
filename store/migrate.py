"""Brings a database to the newest schema; run again, it changes nothing. Tells which schema a database has."""

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from store.database import Database

HERE = Path(__file__).parent


class SchemaNewer(Exception):
    """The database was migrated by newer code than this."""


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
        heads = set(MigrationContext.configure(connection).get_current_heads())
    script = ScriptDirectory.from_config(_config(database.url))
    if not heads:
        return SchemaState.NONE
    if heads == set(script.get_heads()):
        return SchemaState.NEWEST
    known = {revision.revision for revision in script.walk_revisions()}
    return SchemaState.OLDER if heads <= known else SchemaState.NEWER


def revisions() -> list[str]:
    """Every revision there is, oldest first."""
    script = ScriptDirectory.from_config(_config(""))
    return [revision.revision for revision in script.walk_revisions()][::-1]


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.attributes["url"] = url
    return config
