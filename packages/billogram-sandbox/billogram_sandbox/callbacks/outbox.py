"""The durable queue of callbacks, in order per billogram, with their attempts.

Only the first pending callback of a billogram has a `ready_at`; later ones wait for it, except under the fault
`reorder`. A dropped callback is stored as ended, a duplicated one twice.
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
from billogram_sandbox.core.clock import format_instant
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.faults import CallbackFault
from billogram_sandbox.sandbox import Sandbox, Settings

SHOWN = ("id", "state", "ocr_number", "total_sum", "remaining_sum", "attested_at", "detailed_sums")
PAGE_SIZE_MAX = 1000
PENDING = "billogram_id = ? AND outcome = 'pending'"
RETRY_SCHEDULED = "ready_at > ? AND EXISTS (SELECT 1 FROM attempts WHERE callback_seq = seq)"
WAITING_FOR_RETRY = (
    f"({RETRY_SCHEDULED}) OR (ready_at IS NULL"
    f" AND billogram_id IN (SELECT billogram_id FROM callbacks WHERE {RETRY_SCHEDULED}))"
)


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


def enqueue(sandbox: Sandbox, doc: Json, body: Json) -> None:
    if not (doc["callbacks"]["url"] or web_settings.load(sandbox.database)["callback_url"]):
        return
    fault = sandbox.fault_injector.callback_fault(doc)
    if fault.dropped:
        _insert(sandbox, doc, body, fault, "dropped")
        return
    for _ in range(2 if fault.duplicated else 1):
        seq = _insert(sandbox, doc, body, fault, "pending")
    if fault.before_answer:
        sandbox.callbacks_before_response.append(seq)
    sandbox.callback_queued.set()


def enqueue_for_account(sandbox: Sandbox, subject: str, body: Json) -> None:
    """A callback about no billogram, sent to the account's URL, in order per subject."""
    own = dict.fromkeys(("url", "sign_key", "custom"))
    enqueue(sandbox, {"id": subject, "creditor_unique_value": subject, "callbacks": own}, body)


def ready_jobs(database: Database, now: float, limit: int, excluded: Collection[int]) -> list[Job]:
    condition = f"ready_at <= ? AND seq NOT IN ({', '.join('?' * len(excluded))})"
    sql = f"SELECT *, {lists.column('callback_id', 'body')} AS callback_id FROM callbacks WHERE {condition}"
    rows = database.rows(f"{sql} ORDER BY ready_at, seq LIMIT ?", now, *excluded, limit)
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


def record_attempt(database: Database, settings: Settings, job: Job, attempt: Attempt) -> None:
    """Stores an attempt; ends the callback or schedules its retry."""
    database.execute("INSERT INTO attempts VALUES (?, ?, ?, ?)", job.seq, attempt.at, attempt.status, attempt.error)
    if attempt.error is None:
        return _end(database, job, "delivered")
    attempts, first_at = _attempts_so_far(database, job)
    delay = settings.retry_delays_seconds[min(attempts, len(settings.retry_delays_seconds)) - 1]
    if time.time() + delay > first_at + settings.retry_seconds_max:
        return _end(database, job, "given_up")
    database.execute("UPDATE callbacks SET ready_at = ? WHERE seq = ?", time.time() + delay, job.seq)
    return None


def retry_now(sandbox: Sandbox) -> None:
    """After a change of the account's URL or key."""
    now = time.time()
    sandbox.database.execute("UPDATE callbacks SET ready_at = ? WHERE ready_at > ?", now, now)
    sandbox.callback_queued.set()


def counts(database: Database) -> tuple[int, int]:
    """How many are pending, and how many of these do not wait for a retry."""
    pending: int = database.scalar("SELECT count(*) FROM callbacks WHERE outcome = 'pending'")
    now = time.time()
    waiting = f"SELECT count(*) FROM callbacks WHERE outcome = 'pending' AND ({WAITING_FOR_RETRY})"
    return pending, pending - database.scalar(waiting, now, now)


def list_page(database: Database, query: Mapping[str, str]) -> Json:
    """A page of callbacks with their attempts, oldest first by default."""
    given = {name: query[name] for name in ("billogram_id", "outcome") if name in query}
    condition = " AND ".join(["1", *(f"{name} = ?" for name in given)])
    part = lists.page_of(query, PAGE_SIZE_MAX, PAGE_SIZE_MAX)
    total = database.scalar(f"SELECT count(*) FROM callbacks WHERE {condition}", *given.values())
    sql = f"SELECT * FROM callbacks WHERE {condition} ORDER BY seq {lists.direction(query)} LIMIT ? OFFSET ?"
    rows = database.rows(sql, *given.values(), part.size, part.offset)
    return {"total_count": total, "callbacks": [_document(database, row) for row in rows]}


def signed_body(job: Job) -> bytes:
    """The body with its legacy signature, which needs the key at the time of sending."""
    if not job.sign_key:
        return job.body.encode()
    # The placeholder precedes all text of callers, so the first match is the placeholder.
    legacy = f'"signature": "{signatures.legacy(job.sign_key, job.callback_id)}"'
    return job.body.replace('"signature": null', legacy, 1).encode()


def event_body(doc: Json, event: Json, at: datetime) -> Json:
    shown = {"billogram": {key: doc[key] for key in SHOWN}, "event": event}
    return envelope("BillogramEvent", at) | {"custom": doc["callbacks"]["custom"]} | shown


def envelope(kind: str, at: datetime) -> Json:
    """The head of a callback. It is signed when it is sent."""
    callback_id = str(uuid.uuid4())
    return {
        "callback_id": callback_id,
        "callback_type": kind,
        "callback_timestamp": format_instant(at),
        "signature": None,
    }


def _insert(sandbox: Sandbox, doc: Json, body: Json, fault: CallbackFault, outcome: str) -> int:
    database, own, not_before = sandbox.database, doc["callbacks"], time.time() + fault.delay_seconds
    is_first = database.row(f"SELECT 1 FROM callbacks WHERE {PENDING} LIMIT 1", doc["id"]) is None
    is_ready = outcome == "pending" and (is_first or fault.unordered)
    return database.execute(
        "INSERT INTO callbacks (billogram_id, body, url, sign_key, outcome, ready_at, not_before)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(doc["id"], dump(body), own["url"], own["sign_key"], outcome, not_before if is_ready else None, not_before),
    )


def _end(database: Database, job: Job, outcome: str) -> None:
    database.execute("UPDATE callbacks SET outcome = ?, ready_at = NULL WHERE seq = ?", outcome, job.seq)
    following = f"SELECT min(seq) FROM callbacks WHERE {PENDING}"
    sql = f"UPDATE callbacks SET ready_at = max(?, not_before) WHERE ready_at IS NULL AND seq = ({following})"
    database.execute(sql, time.time(), job.billogram_id)


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


def _attempts_so_far(database: Database, job: Job) -> tuple[int, float]:
    row = database.row("SELECT count(*), min(at) FROM attempts WHERE callback_seq = ?", job.seq)
    assert row is not None
    return row[0], row[1]


def _attempts(database: Database, seq: int) -> list[Json]:
    rows = database.rows("SELECT at, status, error FROM attempts WHERE callback_seq = ? ORDER BY rowid", seq)
    return [dict(row) | {"at": format_instant(datetime.fromtimestamp(row["at"], UTC))} for row in rows]
