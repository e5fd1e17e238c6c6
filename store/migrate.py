"""Brings a database to the newest schema; run again, it changes nothing."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from store.schema import Table

HERE = Path(__file__).parent


class SchemaWrong(RuntimeError):
    """The store has not the tables that this code expects."""


def migrate(url: str) -> None:
    config = _config()
    config.attributes["url"] = url
    command.upgrade(config, "head")


def check_schema(session: Session) -> None:
    """Raises SchemaWrong, with words that say what to do."""
    there = set(sa.inspect(session.connection()).get_table_names())
    missing = sorted({*Table.metadata.tables, "alembic_version"} - there)
    if missing:
        raise SchemaWrong(f"tables are missing: {', '.join(missing)}; run `avtal migrate` if the store is new")
    revision = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if revision != newest_revision():
        raise SchemaWrong(f"the schema is at {revision}, and this process needs {newest_revision()}: `avtal migrate`")


@cache
def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    return config
