"""Alembic's entry point: runs the migrations of this folder on one database."""

from alembic import context

from avtal.store.engine.database import Database
from avtal.store.tables import Table

database = Database(context.config.attributes["url"])
try:
    with database.engine.connect().execution_options(avtal_write=True) as connection:
        context.configure(connection=connection, target_metadata=Table.metadata)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
finally:
    database.close()
