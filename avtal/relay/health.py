"""How far the relay is behind: gauges of its queues, and what keeps a web process from being ready."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from avtal.store.queues.lease import Backlog

UNPOLLED_SECONDS_MAX = 30.0
LATE_SECONDS_MAX = 60.0

DUE_ROWS = Gauge("avtal_relay_due_rows", "Rows that are due, by queue", ["queue"])
OLDEST_DUE = Gauge("avtal_relay_oldest_due_seconds", "How late the oldest due row is, by queue", ["queue"])


class HasBacklog(Protocol):
    @property
    def name(self) -> str: ...
    def backlog(self, now: float) -> Backlog: ...


def measure(queues: Sequence[HasBacklog]) -> None:
    """Sets the gauges from the store; to NaN if the store does not respond."""
    for queue in queues:
        rows = oldest_seconds = float("nan")
        with suppress(SQLAlchemyError):
            rows, oldest_seconds = queue.backlog(time.time())
        DUE_ROWS.labels(queue.name).set(rows)
        OLDEST_DUE.labels(queue.name).set(oldest_seconds)


def relay_problem(unpolled_seconds: float, backlogs: Mapping[str, Backlog]) -> str | None:
    """Why the relay is not ready, or None. The text stays the same as long as the problem does."""
    if unpolled_seconds > UNPOLLED_SECONDS_MAX:
        return "does not poll for work"
    late = [name for name, backlog in backlogs.items() if backlog.oldest_seconds > LATE_SECONDS_MAX]
    return f"is more than {LATE_SECONDS_MAX:.0f} s late with work of the {' and the '.join(late)}" if late else None
