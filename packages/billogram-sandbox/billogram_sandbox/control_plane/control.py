"""The control plane: everything about the sandbox that Billogram itself does not offer over its API. What people and
banks do lives in outside."""

from typing import Annotated

from pydantic import Field, ValidationError

from billogram_sandbox.account import web_settings
from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import DURATION, END, instant, later, parse_instant
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.faults import Faults, Misbehaviour
from billogram_sandbox.life import billograms, timeline
from billogram_sandbox.shapes.values import Instant, Shape, read

TABLES = (
    *("customers", "invoices", "billograms", "events", "callbacks", "attempts", "payments", "payment_requests"),
    *("items", "attachments", "reports", "einvoices", "payment_sources", "tab_settings", "tabs", "tab_items"),
)
FILTERS = {"custom": "callbacks:custom", "state": "state", "customer_no": "customer:customer_no"}


class Refusal(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Move(Shape):
    advance: Annotated[str, Field(json_schema_extra={"pattern": DURATION})] | None = None
    set: Instant | None = None


def clock(call: Call) -> Json:
    due, (pending, ready) = timeline.next_due(call.sandbox), outbox.counts(call.sandbox.database)
    return {
        "now": instant(call.sandbox.clock.now()),
        "next_due": due and instant(due),
        "callbacks_pending": pending,
        "callbacks_due": ready,
    }


def move_clock(call: Call) -> Json:
    """Everything up to there happens before the answer, in one transaction: all of it or nothing."""
    move, now = read(Move, call.body), call.sandbox.clock.now()
    if (move.advance is None) == (move.set is None):
        raise Refusal(400, "give either advance or set")
    try:
        to = later(now, move.advance) if move.advance else parse_instant(move.set or "")
    except (ValueError, OverflowError) as error:
        raise Refusal(400, str(error)) from None
    if to < now:
        raise Refusal(400, f"the clock cannot go back: it is {instant(now)}")
    if to >= END:
        raise Refusal(400, f"the clock cannot go on to {instant(END)}")
    timeline.perform(call.sandbox, to)
    call.sandbox.clock.move(to)
    call.sandbox.timeline_changed.set()
    return clock(call)


def set_account(call: Call) -> Json:
    configured = web_settings.change(call.sandbox.database, call.body)
    outbox.retry_now(call.sandbox)
    return configured


def list_billograms(call: Call) -> Json:
    wanted = {FILTERS[name]: value for name, value in call.query.items() if name in FILTERS}
    parts = [lists.exact(field, value, billograms.LISTING) for field, value in wanted.items()]
    condition = " AND ".join(["1", *(part.sql for part in parts)])
    values = [value for part in parts for value in part.values]
    rows = call.sandbox.database.rows(f"SELECT doc FROM billograms WHERE {condition} ORDER BY seq", *values)
    return {"billograms": [billograms.full(call, load(row["doc"])) for row in rows]}


def list_callbacks(call: Call) -> Json:
    return outbox.documents(call.sandbox.database, call.query)


def faults(call: Call) -> Json:
    return call.sandbox.misbehaviour.faults.model_dump()


def set_faults(call: Call) -> Json:
    try:
        call.sandbox.misbehaviour = Misbehaviour(Faults.model_validate(call.body))
    except ValidationError as error:
        first = error.errors()[0]
        raise Refusal(400, f"{'.'.join(str(each) for each in first['loc'])}: {first['msg']}") from None
    return faults(call)


def stats(call: Call) -> Json:
    return call.sandbox.stats.document() | {"struck": dict(call.sandbox.misbehaviour.struck)}


def reset_stats(call: Call) -> Json:
    call.sandbox.stats.reset()
    return stats(call)


def reset(call: Call) -> Json:
    for table in TABLES:
        call.sandbox.database.run(f"DELETE FROM {table}")
    call.sandbox.clock.reset()
    call.sandbox.misbehaviour = Misbehaviour(Faults())
    call.sandbox.stats.reset()
    return clock(call)
