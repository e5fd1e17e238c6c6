"""Runs due steps and billing tabs in order, each at its own instant, when time passes and when the clock is moved."""

from collections.abc import Callable
from datetime import datetime

from billogram_sandbox.core.clock import civil_day, format_instant, format_timestamp, parse_instant, start_of_day
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.lists import column
from billogram_sandbox.core.wakeup import wait_for_event
from billogram_sandbox.lifecycle import billing_tabs, collection, delivery, factoring, lateness, schedule
from billogram_sandbox.registers import billograms
from billogram_sandbox.rules import interest
from billogram_sandbox.sandbox import Sandbox

STEPS: dict[str, Callable[[Sandbox, Json, datetime], None]] = {
    "overdue": lateness.become_overdue,
    "interest": lateness.start_interest,
    "soft": lateness.send_soft_reminder,
    "reminder": lateness.send_automatic_reminder,
    "collection": collection.start_collection,
    "handover": collection.hand_over,
    "fallback": delivery.fall_back,
    "sale": factoring.buy,
}
WAKES_AT = column("_wakes_at")
POLL_SECONDS = 60.0  # timers do not run while the machine sleeps, so poll too


def next_due(sandbox: Sandbox) -> datetime | None:
    own = sandbox.database.scalar(f"SELECT min({WAKES_AT}) FROM billograms")
    due = [text for text in (own, billing_tabs.next_due(sandbox)) if text]
    return parse_instant(min(due)) if due else None


def run_due(sandbox: Sandbox, until: datetime) -> None:
    while (due := next_due(sandbox)) and due <= until:
        if billing_tabs.next_due(sandbox) == format_instant(due):
            billing_tabs.bill_due(sandbox, due)
        else:
            _run_billogram(sandbox, due)


def _run_billogram(sandbox: Sandbox, at: datetime) -> None:
    """Runs the next step, unless it has become unnecessary."""
    sql = f"SELECT doc FROM billograms WHERE {WAKES_AT} = ? ORDER BY seq LIMIT 1"
    doc = load(sandbox.database.scalar(sql, format_instant(at)))
    step = schedule.next_step(doc)
    interest.accrue(doc, civil_day(at))
    if step and start_of_day(step[0]) <= at:
        STEPS[step[1]](sandbox, doc, at)
        doc["updated_at"] = format_timestamp(at)
    schedule.update(sandbox, doc, at)
    billograms.write(sandbox, doc)


async def run(sandbox: Sandbox) -> None:
    while True:
        sandbox.schedule_changed.clear()
        with sandbox.database.transaction():
            run_due(sandbox, sandbox.clock.now())
        due = next_due(sandbox)
        seconds = POLL_SECONDS if due is None else (due - sandbox.clock.now()).total_seconds()
        await wait_for_event(sandbox.schedule_changed, max(0.0, min(seconds, POLL_SECONDS)))
