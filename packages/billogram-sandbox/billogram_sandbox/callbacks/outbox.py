"""The durable queue of callbacks: one per event, in order per billogram, with its attempts. Sending is elsewhere.

Only the first pending callback of a billogram has a time at which it is ready; the others wait for it, but for those
that a fault has freed. One that a fault drops is over before it was tried; one that it doubles stands here twice.
"""

import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Row

from billogram_sandbox.account import web_settings
from billogram_sandbox.callbacks import signatures
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import instant
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.faults import Fate
from billogram_sandbox.sandbox import Sandbox, Settings

SHOWN = ("id", "state", "ocr_number", "total_sum", "remaining_sum", "attested_at", "detailed_sums")
PAGE_SIZE_MAX = 1000
PENDING = "billogram_id = ? AND outcome = 'pending'"
RETRIED = "ready_at > ? AND EXISTS (SELECT 1 FROM attempts WHERE callback_seq = seq)"
HELD = f"({RETRIED}) OR (ready_at IS NULL AND billogram_id IN (SELECT billogram_id FROM callbacks WHERE {RETRIED}))"


@dataclass(frozen=True)
class Job:
    seq: int
    billogram_id: str
    url: str
    sign_key: str | None
    callback_id: str
    body: str


@dataclass(frozen=True)
class Attempt:
    at: float
    status: int | None
    error: str | None


def queue(sandbox: Sandbox, doc: Json, body: Json) -> None:
    if not (doc["callbacks"]["url"] or web_settings.load(sandbox.database)["callback_url"]):
        return
    fate = sandbox.misbehaviour.fate(doc)
    if fate.dropped:
        _insert(sandbox, doc, body, fate, "dropped")
        return
    for _ in range(2 if fate.doubled else 1):
        seq = _insert(sandbox, doc, body, fate, "pending")
    if fate.before_answer:
        sandbox.told_first.append(seq)
    sandbox.callback_queued.set()


def queue_of_account(sandbox: Sandbox, about: str, body: Json) -> None:
    """What is told of no single billogram goes to the account's address, in order for what it is about."""
    own = dict.fromkeys(("url", "sign_key", "custom"))
    queue(sandbox, {"id": about, "creditor_unique_value": about, "callbacks": own}, body)


def ready(database: Database, now: float, limit: int, besides: Collection[int]) -> list[Job]:
    left = f"seq NOT IN ({', '.join('?' * len(besides))})"
    sql = (
        f"SELECT *, {lists.column('callback_id', 'body')} AS callback_id FROM callbacks WHERE ready_at <= ? AND {left}"
    )
    rows = database.rows(f"{sql} ORDER BY ready_at, seq LIMIT ?", now, *besides, limit)
    if not rows:
        return []
    configured = web_settings.load(database)
    return [
        Job(
            row["seq"],
            row["billogram_id"],
            row["url"] or configured["callback_url"] or "",
            row["sign_key"] or configured["sign_key"],
            row["callback_id"],
            row["body"],
        )
        for row in rows
    ]


def next_ready(database: Database, now: float) -> float | None:
    at: float | None = database.scalar("SELECT min(ready_at) FROM callbacks WHERE ready_at > ?", now)
    return at


def attempted(database: Database, settings: Settings, job: Job, attempt: Attempt) -> None:
    """Notes one attempt; the callback is then over, or becomes ready again later."""
    database.run("INSERT INTO attempts VALUES (?, ?, ?, ?)", job.seq, attempt.at, attempt.status, attempt.error)
    if attempt.error is None:
        return _end(database, job, "delivered")
    tried, began = _history(database, job)
    delay = settings.retry_delays[min(tried, len(settings.retry_delays)) - 1]
    if time.time() + delay > began + settings.retry_for:
        return _end(database, job, "given_up")
    database.run("UPDATE callbacks SET ready_at = ? WHERE seq = ?", time.time() + delay, job.seq)
    return None


def retry_now(sandbox: Sandbox) -> None:
    """For when the reason to wait is gone: the account's address or key was set anew."""
    now = time.time()
    sandbox.database.run("UPDATE callbacks SET ready_at = ? WHERE ready_at > ?", now, now)
    sandbox.callback_queued.set()


def counts(database: Database) -> tuple[int, int]:
    """How many are pending, and how many of them are not held up by a wait for a retry."""
    pending: int = database.scalar("SELECT count(*) FROM callbacks WHERE outcome = 'pending'")
    now = time.time()
    held = f"SELECT count(*) FROM callbacks WHERE outcome = 'pending' AND ({HELD})"
    return pending, pending - database.scalar(held, now, now)


def documents(database: Database, query: Mapping[str, str]) -> Json:
    """A page of them, the oldest first unless asked otherwise, each with all its attempts."""
    given = {name: query[name] for name in ("billogram_id", "outcome") if name in query}
    condition = " AND ".join(["1", *(f"{name} = ?" for name in given)])
    part = lists.page(query, PAGE_SIZE_MAX, PAGE_SIZE_MAX)
    total = database.scalar(f"SELECT count(*) FROM callbacks WHERE {condition}", *given.values())
    sql = f"SELECT * FROM callbacks WHERE {condition} ORDER BY seq {lists.direction(query)} LIMIT ? OFFSET ?"
    rows = database.rows(sql, *given.values(), part.size, part.offset)
    return {"total_count": total, "callbacks": [_document(database, row) for row in rows]}


def signed(job: Job) -> bytes:
    """The key may be the account's, so the body gets its legacy signature only when it is sent."""
    if not job.sign_key:
        return job.body.encode()
    # Its place is before all that others have written, so that what is found first is the place.
    legacy = f'"signature": "{signatures.legacy(job.sign_key, job.callback_id)}"'
    return job.body.replace('"signature": null', legacy, 1).encode()


def event_body(doc: Json, event: Json, at: datetime) -> Json:
    shown = {"billogram": {key: doc[key] for key in SHOWN}, "event": event}
    return envelope("BillogramEvent", at) | {"custom": doc["callbacks"]["custom"]} | shown


def envelope(kind: str, at: datetime) -> Json:
    """The signature comes when it is sent."""
    callback_id = str(uuid.uuid4())
    return {"callback_id": callback_id, "callback_type": kind, "callback_timestamp": instant(at), "signature": None}


def _insert(sandbox: Sandbox, doc: Json, body: Json, fate: Fate, outcome: str) -> int:
    database, own, not_before = sandbox.database, doc["callbacks"], time.time() + fate.delay
    is_first = database.row(f"SELECT 1 FROM callbacks WHERE {PENDING} LIMIT 1", doc["id"]) is None
    goes = outcome == "pending" and (is_first or fate.free)
    return database.run(
        "INSERT INTO callbacks (billogram_id, body, url, sign_key, outcome, ready_at, not_before)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(doc["id"], dump(body), own["url"], own["sign_key"], outcome, not_before if goes else None, not_before),
    )


def _end(database: Database, job: Job, outcome: str) -> None:
    database.run("UPDATE callbacks SET outcome = ?, ready_at = NULL WHERE seq = ?", outcome, job.seq)
    following = f"SELECT min(seq) FROM callbacks WHERE {PENDING}"
    sql = f"UPDATE callbacks SET ready_at = max(?, not_before) WHERE ready_at IS NULL AND seq = ({following})"
    database.run(sql, time.time(), job.billogram_id)


def _document(database: Database, row: Row) -> Json:
    body = load(row["body"])
    return {
        "callback_id": body["callback_id"],
        "billogram_id": row["billogram_id"],
        "type": body["event"]["type"] if "event" in body else body["callback_type"],
        "custom": body.get("custom"),
        "outcome": row["outcome"],
        "body": body,
        "attempts": _attempts(database, row["seq"]),
    }


def _history(database: Database, job: Job) -> tuple[int, float]:
    row = database.row("SELECT count(*), min(at) FROM attempts WHERE callback_seq = ?", job.seq)
    assert row is not None
    return row[0], row[1]


def _attempts(database: Database, seq: int) -> list[Json]:
    rows = database.rows("SELECT at, status, error FROM attempts WHERE callback_seq = ? ORDER BY rowid", seq)
    return [dict(row) | {"at": instant(datetime.fromtimestamp(row["at"], UTC))} for row in rows]
