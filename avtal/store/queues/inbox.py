"""The inbox of callbacks: stored before they are answered, worked off in the order of their coming."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from avtal.contracts.frozen import Frozen
from avtal.store.tables import CallbackRow

KEPT_SECONDS = 24 * 3600
LEASE_SECONDS = 15.0
"""Longer than the platform or Temporal is waited for, short enough for what a dead process held."""
NEW, DONE, IGNORED, UNMATCHED = "new", "done", "ignored", "unmatched"
_NOW = sa.bindparam("now", type_=sa.Float)
_OF_THESE = CallbackRow.id.in_(sa.bindparam("ids", expanding=True))
_HELD = sa.select(CallbackRow.group_key).where(CallbackRow.state == NEW, CallbackRow.leased_until > _NOW)
_DUE = (
    sa.select(CallbackRow.__table__)
    .where(CallbackRow.state == NEW, CallbackRow.next_attempt_at <= _NOW, CallbackRow.leased_until <= _NOW)
    .where(CallbackRow.group_key.not_in(_HELD))
    .order_by(CallbackRow.next_attempt_at, CallbackRow.id)  # as their index does, however many wait
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_LEASE = sa.update(CallbackRow).where(_OF_THESE).values(leased_until=sa.bindparam("until"))
_END = (
    sa.update(CallbackRow)
    .where(_OF_THESE)
    .values(state=sa.bindparam("its_state"), last_error=sa.bindparam("its_trouble"))
)
_STORE = {
    dialect: insert(CallbackRow).on_conflict_do_nothing().returning(CallbackRow.account, CallbackRow.callback_id)
    for dialect, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


class StoredCallback(Frozen):
    id: int
    account: str
    callback_id: str
    group_key: str
    received_at: datetime
    body: str
    state: str
    attempts: int
    give_up_at: float
    leased_until: float
    last_error: str | None

    @property
    def kept_at(self) -> float:
        """Real time at which it came."""
        return self.give_up_at - KEPT_SECONDS


class NewCallback(NamedTuple):
    account: str
    callback_id: str
    group_key: str
    body: str
    came_at: float
    """Real time, seconds since 1970."""


class Backlog(NamedTuple):
    """Rows that are due, leased or not, and by how many seconds the oldest is past its due try."""

    rows: int
    oldest_seconds: float


def store_callbacks(session: Session, callbacks: Sequence[NewCallback], received_at: datetime) -> Sequence[bool]:
    """In one question. False for one that is stored already."""
    connection = session.connection()
    rows = [
        {
            "account": one.account, "callback_id": one.callback_id, "group_key": one.group_key, "body": one.body,
            "received_at": received_at, "state": NEW, "next_attempt_at": one.came_at,
            "give_up_at": one.came_at + KEPT_SECONDS,
        }
        for one in callbacks
    ]  # fmt: skip
    new = {(account, name) for account, name in connection.execute(_STORE[connection.dialect.name], rows)}
    are_new: list[bool] = []
    for one in callbacks:
        are_new.append((one.account, one.callback_id) in new)
        new.discard((one.account, one.callback_id))
    return are_new


def due_callbacks(session: Session, now: float, limit: int) -> Sequence[StoredCallback]:
    """Callbacks whose try is due, in the order of their coming, locked. `now` is real time.

    What another process has locked is skipped, and a billogram of which one is leased is left to whoever has it.
    """
    rows = session.execute(_DUE, {"now": now, "limit": limit})
    return [StoredCallback.model_validate(row, from_attributes=True) for row in rows]


def claim_callbacks(session: Session, now: float, limit: int) -> Sequence[StoredCallback]:
    return lease_callbacks(session, due_callbacks(session, now, limit), now)


def lease_callbacks(session: Session, due: Iterable[StoredCallback], now: float) -> Sequence[StoredCallback]:
    """Of what this transaction has locked, the oldest of each billogram, leased to the caller."""
    oldest: dict[tuple[str, str], StoredCallback] = {}
    for callback in due:
        oldest.setdefault((callback.account, callback.group_key), callback)
    until = now + LEASE_SECONDS
    if oldest:
        ids = [callback.id for callback in oldest.values()]
        session.connection().execute(_LEASE, {"ids": ids, "until": until})
    return [callback.model_copy(update={"leased_until": until}) for callback in oldest.values()]


def callbacks_in_flight(session: Session, now: float) -> int:
    """How many could be worked off at once; those that wait for another try do not count."""
    due = (
        sa.select(sa.func.count())
        .select_from(CallbackRow)
        .where(CallbackRow.state == NEW, CallbackRow.next_attempt_at <= now)
    )
    return session.scalar(due) or 0


def callback_backlog(session: Session, now: float) -> Backlog:
    due = sa.select(sa.func.count(), sa.func.min(CallbackRow.next_attempt_at)).where(
        CallbackRow.state == NEW, CallbackRow.next_attempt_at <= now
    )
    rows, oldest = session.execute(due).one()
    return Backlog(rows, now - oldest if rows else 0.0)


def finish_callbacks(
    session: Session, callbacks: Iterable[StoredCallback], state: str, last_error: str | None = None
) -> None:
    ended = {"ids": [callback.id for callback in callbacks], "its_state": state, "its_trouble": last_error}
    session.connection().execute(_END, ended)


def defer_callback(session: Session, callback: StoredCallback, next_attempt_at: float, last_error: str) -> None:
    session.execute(
        sa.update(CallbackRow)
        .where(CallbackRow.id == callback.id)
        .values(
            next_attempt_at=next_attempt_at, leased_until=0.0, attempts=CallbackRow.attempts + 1, last_error=last_error
        )
    )


def release_callbacks(session: Session, callbacks: Iterable[StoredCallback]) -> None:
    """What a process took and does not finish: another need not wait for the end of its leases."""
    for callback in callbacks:
        session.execute(
            sa.update(CallbackRow)
            .where(CallbackRow.id == callback.id, CallbackRow.leased_until == callback.leased_until)
            .values(leased_until=0.0)
        )


def failing_callbacks(session: Session, account: str) -> Sequence[StoredCallback]:
    """Those that were tried in vain and will be tried again, each with its trouble."""
    rows = session.scalars(
        sa.select(CallbackRow)
        .where(CallbackRow.account == account, CallbackRow.state == NEW, CallbackRow.last_error.is_not(None))
        .order_by(CallbackRow.id)
    )
    return [StoredCallback.model_validate(row, from_attributes=True) for row in rows]


def unmatched_callbacks(session: Session, account: str) -> Sequence[StoredCallback]:
    """Those for which no bill was found in 24 hours; an operator's list."""
    rows = session.scalars(
        sa.select(CallbackRow)
        .where(CallbackRow.account == account, CallbackRow.state == UNMATCHED)
        .order_by(CallbackRow.id)
    )
    return [StoredCallback.model_validate(row, from_attributes=True) for row in rows]
