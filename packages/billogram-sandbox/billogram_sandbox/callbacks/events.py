"""The events of billograms: stored, listed, published as callbacks."""

import uuid
from collections.abc import Collection
from datetime import datetime

from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import format_timestamp
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ApiError, bad_query, not_found
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox

LATEST_MAX = 100


def publish(sandbox: Sandbox, doc: Json, kind: str, at: datetime, data: Json | None = None) -> None:
    """Stores an event and queues its callback, which shows `doc` as it is now."""
    event = append(sandbox, doc, kind, at, data)
    outbox.enqueue(sandbox, doc, outbox.event_body(doc, event, at))


def append(sandbox: Sandbox, doc: Json, kind: str, at: datetime, data: Json | None) -> Json:
    """Stores an event without a callback."""
    event = {"type": kind, "created_at": format_timestamp(at), "data": data, "event_uuid": str(uuid.uuid4())}
    sandbox.database.execute("INSERT INTO events (billogram_id, doc) VALUES (?, ?)", doc["id"], dump(event))
    return event


def of_types(sandbox: Sandbox, billogram_id: str, kinds: Collection[str]) -> list[Json]:
    """Newest first."""
    condition = f"{lists.column('type')} IN ({', '.join('?' * len(kinds))})"
    sql = f"SELECT doc FROM events WHERE billogram_id = ? AND {condition} ORDER BY seq DESC"
    return [load(row["doc"]) for row in sandbox.database.rows(sql, billogram_id, *kinds)]


def latest(sandbox: Sandbox, billogram_id: str) -> list[Json]:
    sql = "SELECT doc FROM events WHERE billogram_id = ? ORDER BY seq DESC LIMIT ?"
    return [load(row["doc"]) for row in reversed(sandbox.database.rows(sql, billogram_id, LATEST_MAX))]


def listing(context: RequestContext) -> Json:
    database, billogram_id, part = context.sandbox.database, _billogram_id(context), lists.page_of(context.query)
    if database.row("SELECT 1 FROM billograms WHERE id = ?", billogram_id) is None:
        raise not_found(billogram_id)
    total = database.scalar("SELECT count(*) FROM events WHERE billogram_id = ?", billogram_id)
    order = lists.direction(context.query)
    sql = f"SELECT doc FROM events WHERE billogram_id = ? ORDER BY seq {order} LIMIT ? OFFSET ?"
    rows = database.rows(sql, billogram_id, part.size, part.offset)
    return {"status": "OK", "meta": {"total_count": total}, "data": [load(row["doc"]) for row in rows]}


def _billogram_id(context: RequestContext) -> str:
    for name in lists.FILTER_PARAMETERS:
        if name not in context.query:
            raise ApiError(400, "MISSING_QUERY_PARAMETER", f"missing parameter: {name}", name)
    if (context.query["filter_type"], context.query["filter_field"]) != ("field", "billogram_id"):
        raise bad_query("events are filtered by the field billogram_id only", "filter_field")
    if context.query.get("order_field", "created_at") != "created_at":
        raise bad_query("events are ordered by created_at only", "order_field")
    return context.query["filter_value"]
