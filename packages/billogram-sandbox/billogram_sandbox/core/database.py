"""The SQLite file: schema, transactions, single values."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from billogram_sandbox.core.documents import dump, load

SCHEMA = """
CREATE TABLE IF NOT EXISTS singles (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS customers (
    seq INTEGER PRIMARY KEY, customer_no INTEGER NOT NULL UNIQUE, doc TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS customers_notes ON customers (json_extract(doc, '$.notes'));
CREATE TABLE IF NOT EXISTS items (seq INTEGER PRIMARY KEY, item_no TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attachments (billogram_id TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS reports (seq INTEGER PRIMARY KEY, filename TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS einvoices (customer_seq INTEGER PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payment_sources (id TEXT PRIMARY KEY, customer_seq INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tab_settings (customer_seq INTEGER PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tabs (
    id TEXT PRIMARY KEY, customer_seq INTEGER NOT NULL, billing_date TEXT NOT NULL,
    wakes_at TEXT, -- null: billed, or failed too often
    is_billed INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS tabs_open ON tabs (customer_seq) WHERE NOT is_billed;
CREATE INDEX IF NOT EXISTS tabs_wake ON tabs (wakes_at);
CREATE TABLE IF NOT EXISTS tab_items (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tab_id TEXT NOT NULL, customer_seq INTEGER NOT NULL,
    deduplication_id TEXT NOT NULL, is_removed INTEGER NOT NULL DEFAULT 0, doc TEXT NOT NULL,
    UNIQUE (customer_seq, deduplication_id)
);
CREATE TABLE IF NOT EXISTS invoices (invoice_no INTEGER PRIMARY KEY, billogram_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS billograms (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS billograms_key ON billograms (json_extract(doc, '$.creditor_unique_value'));
CREATE INDEX IF NOT EXISTS billograms_state ON billograms (json_extract(doc, '$.state'));
CREATE INDEX IF NOT EXISTS billograms_ocr ON billograms (json_extract(doc, '$.ocr_number'));
CREATE INDEX IF NOT EXISTS billograms_customer ON billograms (json_extract(doc, '$.customer.customer_no'));
CREATE INDEX IF NOT EXISTS billograms_custom ON billograms (json_extract(doc, '$.callbacks.custom'));
CREATE INDEX IF NOT EXISTS billograms_wake ON billograms (json_extract(doc, '$._wakes_at'));
CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, billogram_id TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_billogram ON events (billogram_id, seq);
CREATE TABLE IF NOT EXISTS callbacks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: an attempt may end after a reset
    billogram_id TEXT NOT NULL,
    body TEXT NOT NULL,
    url TEXT, -- null, also of the key: the account's at the time of sending
    sign_key TEXT,
    outcome TEXT NOT NULL DEFAULT 'pending',
    not_before REAL NOT NULL DEFAULT 0, -- real time; a fault may delay it
    ready_at REAL -- real time; null: waits for an earlier callback of its billogram, or has ended
);
CREATE INDEX IF NOT EXISTS callbacks_billogram ON callbacks (billogram_id, seq);
CREATE INDEX IF NOT EXISTS callbacks_pending ON callbacks (billogram_id, seq) WHERE outcome = 'pending';
CREATE INDEX IF NOT EXISTS callbacks_ready ON callbacks (ready_at, seq) WHERE ready_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS payment_requests (id TEXT PRIMARY KEY, billogram_id TEXT NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payments (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS payments_bank_reference ON payments (json_extract(doc, '$.bank_reference'));
CREATE TABLE IF NOT EXISTS attempts (callback_seq INTEGER NOT NULL, at REAL NOT NULL, status INTEGER, error TEXT);
CREATE INDEX IF NOT EXISTS attempts_callback ON attempts (callback_seq);
"""


ADDED_COLUMNS = {"callbacks": {"not_before": "REAL NOT NULL DEFAULT 0"}}
"""Columns that older files lack."""


class Database:
    """One connection for one event loop. Transactions contain no await."""

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # With NORMAL a killed process loses nothing; only a power cut may lose the last transactions.
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
        self._add_columns()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction that is rolled back alone if it fails."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._connection.execute("RELEASE part")

    def execute(self, sql: str, *values: object) -> int:
        """Runs a statement that writes; returns the row id of an insert."""
        return self._connection.execute(sql, values).lastrowid or 0

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def scalar(self, sql: str, *values: object) -> Any:  # Any: only the query knows the column's type
        row = self.row(sql, *values)
        return row[0] if row else None

    def get(self, name: str) -> Any:  # Any: a single value is any JSON
        text = self.scalar("SELECT value FROM singles WHERE name = ?", name)
        return None if text is None else load(text)

    def put(self, name: str, value: object) -> None:
        self.execute("INSERT OR REPLACE INTO singles VALUES (?, ?)", name, dump(value))

    def _add_columns(self) -> None:
        for table, columns in ADDED_COLUMNS.items():
            existing = {row["name"] for row in self.rows(f"PRAGMA table_info({table})")}
            for name in columns.keys() - existing:
                self.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
