"""When the sandbox does something by itself. What it then does lives in lateness, factoring, and billing_tabs.

Time comes by being moved and by passing; both perform what is due in order, each at its own instant.
"""

from datetime import datetime

from billogram_sandbox import billing_tabs, factoring, lateness
from billogram_sandbox.clock import instant, parse_instant
from billogram_sandbox.documents import load
from billogram_sandbox.lists import column
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.states import FACTORING
from billogram_sandbox.wake import wait

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


def _wake_billogram(sandbox: Sandbox, due: datetime) -> None:
    text = sandbox.database.scalar(
        f"SELECT doc FROM billograms WHERE {WAKES_AT} = ? ORDER BY seq LIMIT 1", instant(due)
    )
    doc = load(text)
    wake = factoring.wake if doc["state"] == FACTORING else lateness.wake
    wake(sandbox, doc)


async def run(sandbox: Sandbox) -> None:
    while True:
        sandbox.timeline_changed.clear()
        with sandbox.database.transaction():
            perform(sandbox, sandbox.clock.now())
        due = next_due(sandbox)
        seconds = NAP_SECONDS if due is None else (due - sandbox.clock.now()).total_seconds()
        await wait(sandbox.timeline_changed, max(0.0, min(seconds, NAP_SECONDS)))
