"""The migrations make exactly the tables that the code expects."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from store.database import Database
from store.migrate import migrate
from store.schema import Table


def test_migrating_an_empty_store_twice_makes_the_tables_of_the_schema(store_url: str) -> None:
    migrate(store_url)
    migrate(store_url)
    database = Database(store_url)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
        revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    database.close()

    assert differences == []
    assert revision == "0001"
