"""Records a store's rows as JSON, and inserts them into a database of the schema that they were written under."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from avtal.store.tables import Table

Rows = dict[str, list[dict[str, Any]]]
"""By table; values as the database takes them, instants and dates as text."""

FOLDER = Path(__file__).parent / "rows"


def read_rows(engine: sa.Engine) -> Rows:
    """Without generated ids: another database generates its own."""
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(table.select()).mappings().all() for table in Table.metadata.tables.values()
        }
    return {name: [_text_of(dict(row)) for row in rows] for name, rows in found.items()}


def insert_rows(engine: sa.Engine, rows: Rows) -> None:
    """Into the tables as the database has them, which may be of an earlier schema."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            for row in rows.get(table.name, []):
                connection.execute(table.insert().values({name: _value(table.c[name], row[name]) for name in row}))


def recorded_rows(revision: str) -> Rows:
    file = FOLDER / f"{revision}.json"
    assert file.exists(), f"record the rows of {revision} with the code that made them: pytest --record-rows"
    return dict(json.loads(file.read_text()))


def record_rows(revision: str, rows: Rows) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{revision}.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def _text_of(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("id", None)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _value(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, sa.DateTime):
        instant = datetime.fromisoformat(value)
        return instant if column.type.timezone else instant.replace(tzinfo=None)
    return date.fromisoformat(value) if isinstance(column.type, sa.Date) else value
