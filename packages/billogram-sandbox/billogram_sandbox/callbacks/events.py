"""What happened to a billogram: recorded, listed, and handed to the callbacks."""

import uuid
from collections.abc import Collection
from datetime import datetime

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import stamp
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import Problem, bad_query, not_found
from billogram_sandbox.sandbox import Sandbox

SHOWN_MAX = 100


def record(sandbox: Sandbox, doc: Json, kind: str, at: datetime, data: Json | None = None) -> None:
    """The callback shows the billogram as `doc` is now, so the order of changes and events matters."""
    event = add(sandbox, doc, kind, at, data)
    outbox.queue(sandbox, doc, outbox.event_body(doc, event, at))


def add(sandbox: Sandbox, doc: Json, kind: str, at: datetime, data: Json | None) -> Json:
    """Untold."""
    event = {"type": kind, "created_at": stamp(at), "data": data, "event_uuid": str(uuid.uuid4())}
    sandbox.database.run("INSERT INTO events (billogram_id, doc) VALUES (?, ?)", doc["id"], dump(event))
    return event


def of_kinds(sandbox: Sandbox, billogram_id: str, kinds: Collection[str]) -> list[Json]:
    """The newest first."""
    kept = f"{lists.column('type')} IN ({', '.join('?' * len(kinds))})"
    sql = f"SELECT doc FROM events WHERE billogram_id = ? AND {kept} ORDER BY seq DESC"
    return [load(row["doc"]) for row in sandbox.database.rows(sql, billogram_id, *kinds)]


def latest(sandbox: Sandbox, billogram_id: str) -> list[Json]:
    sql = "SELECT doc FROM events WHERE billogram_id = ? ORDER BY seq DESC LIMIT ?"
    return [load(row["doc"]) for row in reversed(sandbox.database.rows(sql, billogram_id, SHOWN_MAX))]


def listing(call: Call) -> Json:
    database, billogram_id, part = call.sandbox.database, _billogram_id(call), lists.page(call.query)
    if database.row("SELECT 1 FROM billograms WHERE id = ?", billogram_id) is None:
        raise not_found(billogram_id)
    total = database.scalar("SELECT count(*) FROM events WHERE billogram_id = ?", billogram_id)
    order = lists.direction(call.query)
    sql = f"SELECT doc FROM events WHERE billogram_id = ? ORDER BY seq {order} LIMIT ? OFFSET ?"
    rows = database.rows(sql, billogram_id, part.size, part.offset)
    return {"status": "OK", "meta": {"total_count": total}, "data": [load(row["doc"]) for row in rows]}


def _billogram_id(call: Call) -> str:
    for name in lists.FILTER:
        if name not in call.query:
            raise Problem(400, "MISSING_QUERY_PARAMETER", f"missing parameter: {name}", name)
    if (call.query["filter_type"], call.query["filter_field"]) != ("field", "billogram_id"):
        raise bad_query("events are filtered by the field billogram_id only", "filter_field")
    if call.query.get("order_field", "created_at") != "created_at":
        raise bad_query("events are ordered by created_at only", "order_field")
    return call.query["filter_value"]
