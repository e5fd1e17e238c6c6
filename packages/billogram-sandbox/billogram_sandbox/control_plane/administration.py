"""The control plane's own state: clock, account, lists, faults, stats, reset."""

from typing import Annotated

from pydantic import Field, ValidationError

from billogram_sandbox.account import web_settings
from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import CLOCK_END, DURATION, advanced, format_instant, parse_instant
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.envelope import ControlError
from billogram_sandbox.core.faults import FaultInjector, Faults
from billogram_sandbox.lifecycle import scheduler
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.shapes.values import Instant, Shape, parse

TABLES = (
    *("customers", "invoices", "billograms", "events", "callbacks", "attempts", "payments", "payment_requests"),
    *("items", "attachments", "reports", "einvoices", "payment_sources", "tab_settings", "tabs", "tab_items"),
)
FILTERS = {"custom": "callbacks:custom", "state": "state", "customer_no": "customer:customer_no"}


class ClockMove(Shape):
    advance: Annotated[str, Field(json_schema_extra={"pattern": DURATION})] | None = None
    set: Instant | None = None


def get_clock(context: RequestContext) -> Json:
    due, (pending, ready) = scheduler.next_due(context.sandbox), outbox.counts(context.sandbox.database)
    return {
        "now": format_instant(context.sandbox.clock.now()),
        "next_due": due and format_instant(due),
        "callbacks_pending": pending,
        "callbacks_due": ready,
    }


def move_clock(context: RequestContext) -> Json:
    """Runs everything that is due until then, in one transaction."""
    move, now = parse(ClockMove, context.body), context.sandbox.clock.now()
    if (move.advance is None) == (move.set is None):
        raise ControlError(400, "give either advance or set")
    try:
        to = advanced(now, move.advance) if move.advance else parse_instant(move.set or "")
    except (ValueError, OverflowError) as error:
        raise ControlError(400, str(error)) from None
    if to < now:
        raise ControlError(400, f"the clock cannot move back; it is {format_instant(now)}")
    if to >= CLOCK_END:
        raise ControlError(400, f"the clock cannot move beyond {format_instant(CLOCK_END)}")
    scheduler.run_due(context.sandbox, to)
    context.sandbox.clock.move(to)
    context.sandbox.schedule_changed.set()
    return get_clock(context)


def set_account(context: RequestContext) -> Json:
    configured = web_settings.change(context.sandbox.database, context.body)
    outbox.retry_now(context.sandbox)
    return configured


def list_billograms(context: RequestContext) -> Json:
    wanted = {FILTERS[name]: value for name, value in context.query.items() if name in FILTERS}
    parts = [lists.equals(field, value, billograms.LISTING) for field, value in wanted.items()]
    condition = " AND ".join(["1", *(part.sql for part in parts)])
    values = [value for part in parts for value in part.values]
    rows = context.sandbox.database.rows(f"SELECT doc FROM billograms WHERE {condition} ORDER BY seq", *values)
    return {"billograms": [billograms.public_document(context, load(row["doc"])) for row in rows]}


def list_callbacks(context: RequestContext) -> Json:
    return outbox.list_page(context.sandbox.database, context.query)


def get_faults(context: RequestContext) -> Json:
    return context.sandbox.fault_injector.faults.model_dump()


def set_faults(context: RequestContext) -> Json:
    try:
        context.sandbox.fault_injector = FaultInjector(Faults.model_validate(context.body))
    except ValidationError as error:
        first = error.errors()[0]
        raise ControlError(400, f"{'.'.join(str(each) for each in first['loc'])}: {first['msg']}") from None
    return get_faults(context)


def get_stats(context: RequestContext) -> Json:
    return context.sandbox.stats.document() | {"struck": dict(context.sandbox.fault_injector.struck)}


def reset_stats(context: RequestContext) -> Json:
    context.sandbox.stats.reset()
    return get_stats(context)


def reset(context: RequestContext) -> Json:
    for table in TABLES:
        context.sandbox.database.execute(f"DELETE FROM {table}")
    context.sandbox.clock.reset()
    context.sandbox.fault_injector = FaultInjector(Faults())
    context.sandbox.stats.reset()
    return get_clock(context)
