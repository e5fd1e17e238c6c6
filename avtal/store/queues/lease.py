"""Leases queued rows: one process at a time works on a row, then finishes, releases, or defers it.

Statements are built once per queue, because building one takes longer than running it. All times are real time, in
seconds since 1970.
"""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.orm import Session

from avtal.store.tables.queues import LeasedRow, RetriedRow

LEASE_SECONDS = 15.0
"""Longer than any wait for the platform or Temporal, and short enough for what a dead process held."""
BACKOFF_SECONDS_MAX = 300.0
LOGGED_EVERY = 10
"""The first and every tenth failed attempt on one item are logged."""
NOW = sa.bindparam("now", type_=sa.Float)
FAILED_ATTEMPTS = Counter("avtal_relay_failed_attempts", "Failed attempts, by queue and reason", ["queue", "reason"])

Id = int | str
"""The last column of a queue's primary key. Its other columns are the `scope` of the functions below."""


class Backlog(NamedTuple):
    """Rows that are due, leased or not, and by how many seconds the oldest is late."""

    rows: int
    oldest_seconds: float


def backoff_seconds(attempts: int, first: float = 1.0, maximum: float = BACKOFF_SECONDS_MAX) -> float:
    """Seconds from a failure to the next attempt, after so many failed attempts before it."""
    return min(first * 2.0 ** min(attempts, 20), maximum)


def is_due(row: type[LeasedRow]) -> sa.ColumnElement[bool]:
    """At the parameter `now` the next attempt is due, and no process holds a lease."""
    return sa.and_(row.next_attempt_at <= NOW, row.leased_until <= NOW)


def lease(session: Session, row: type[LeasedRow], ids: Collection[Id], until: float, **scope: Id) -> None:
    """Leases rows that this transaction has locked."""
    if ids:
        session.connection().execute(_lease(row), {**_key(ids, scope), "until": until})


def release(session: Session, row: type[LeasedRow], one: Id, leased_until: float, **scope: Id) -> None:
    """Ends the caller's lease early, so that no other process waits for its end."""
    session.connection().execute(_release(row), {**_key([one], scope), "until": leased_until})


def defer(session: Session, row: type[RetriedRow], one: Id, next_attempt_at: float, last_error: str) -> None:
    """Ends the lease after a failed attempt."""
    values = {"next": next_attempt_at, "error": last_error}
    session.connection().execute(_defer(row), {**_key([one], {}), **values})


def backlog(session: Session, row: type[LeasedRow], now: float, is_waiting: sa.ColumnElement[bool]) -> Backlog:
    due = sa.select(sa.func.count(), sa.func.min(row.next_attempt_at)).where(is_waiting, row.next_attempt_at <= now)
    rows, oldest = session.execute(due).one()
    return Backlog(rows, now - oldest if rows else 0.0)


@cache
def _lease(row: type[LeasedRow]) -> sa.Update:
    return sa.update(row).where(_is_one_of(row)).values(leased_until=sa.bindparam("until"))


@cache
def _release(row: type[LeasedRow]) -> sa.Update:
    is_still_leased = row.leased_until == sa.bindparam("until")
    return sa.update(row).where(_is_one_of(row), is_still_leased).values(leased_until=0.0)


@cache
def _defer(row: type[RetriedRow]) -> sa.Update:
    return (
        sa.update(row)
        .where(_is_one_of(row))
        .values(
            next_attempt_at=sa.bindparam("next"),
            leased_until=0.0,
            attempts=row.attempts + 1,
            last_error=sa.bindparam("error"),
        )
    )


def _is_one_of(row: type[LeasedRow]) -> sa.ColumnElement[bool]:
    *scope, last = sa.inspect(row).primary_key
    in_scope = [column == sa.bindparam(f"of_{column.name}") for column in scope]
    return sa.and_(*in_scope, last.in_(sa.bindparam("ids", expanding=True)))


def _key(ids: Collection[Id], scope: dict[str, Id]) -> dict[str, object]:
    return {"ids": [*ids], **{f"of_{name}": value for name, value in scope.items()}}
