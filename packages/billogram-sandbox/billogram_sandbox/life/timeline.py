"""The sandbox does something by itself: who does each step of the agenda, and waiting for the next.

Time comes by being moved and by passing; both perform what is due in order, each at its own instant.
"""

from collections.abc import Callable
from datetime import datetime

from billogram_sandbox.core.clock import civil_day, instant, parse_instant, stamp, start_of
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.lists import column
from billogram_sandbox.core.wake import wait
from billogram_sandbox.life import agenda, billing_tabs, billograms, collection, factoring, fallbacks, lateness
from billogram_sandbox.rules import interest
from billogram_sandbox.sandbox import Sandbox

DEEDS: dict[str, Callable[[Sandbox, Json, datetime], None]] = {
    "overdue": lateness.become_overdue,
    "interest": lateness.start_interest,
    "soft": lateness.remind_softly,
    "reminder": lateness.remind_by_itself,
    "collection": collection.collect,
    "handover": collection.hand_over,
    "fallback": fallbacks.fall_back,
    "sale": factoring.buy,
}
WAKES_AT = column("_wakes_at")
NAP_SECONDS = 60.0  # a machine that slept has moved on without the timer; look again now and then


def next_due(sandbox: Sandbox) -> datetime | None:
    own = sandbox.database.scalar(f"SELECT min({WAKES_AT}) FROM billograms")
    due = [text for text in (own, billing_tabs.next_due(sandbox)) if text]
    return parse_instant(min(due)) if due else None


def perform(sandbox: Sandbox, until: datetime) -> None:
    while (due := next_due(sandbox)) and due <= until:
        if billing_tabs.next_due(sandbox) == instant(due):
            billing_tabs.wake(sandbox, due)
        else:
            _wake_billogram(sandbox, due)


def _wake_billogram(sandbox: Sandbox, at: datetime) -> None:
    """Its time has come, unless it was for something that has become needless since."""
    sql = f"SELECT doc FROM billograms WHERE {WAKES_AT} = ? ORDER BY seq LIMIT 1"
    doc = load(sandbox.database.scalar(sql, instant(at)))
    following = agenda.next_step(doc)
    interest.accrue(doc, civil_day(at))
    if following and start_of(following[0]) <= at:
        DEEDS[following[1]](sandbox, doc, at)
        doc["updated_at"] = stamp(at)
    agenda.watch(sandbox, doc, at)
    billograms.store(sandbox, doc)


async def run(sandbox: Sandbox) -> None:
    while True:
        sandbox.timeline_changed.clear()
        with sandbox.database.transaction():
            perform(sandbox, sandbox.clock.now())
        due = next_due(sandbox)
        seconds = NAP_SECONDS if due is None else (due - sandbox.clock.now()).total_seconds()
        await wait(sandbox.timeline_changed, max(0.0, min(seconds, NAP_SECONDS)))
