"""The inbox of callbacks: stored before the receiver responds, processed in the order of their arrival."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from avtal.contracts.frozen import Frozen
from avtal.store.queues.lease import LEASE_SECONDS, NOW, Backlog, backlog, defer, is_due, lease, release
from avtal.store.tables import CallbackRow

UNMATCHED_AFTER_SECONDS = 24 * 3600
NEW, DONE, IGNORED, UNMATCHED = "new", "done", "ignored", "unmatched"
_LEASED_GROUPS = sa.select(CallbackRow.group_key).where(CallbackRow.state == NEW, CallbackRow.leased_until > NOW)
_DUE = (
    sa.select(CallbackRow.__table__)
    .where(CallbackRow.state == NEW, is_due(CallbackRow), CallbackRow.group_key.not_in(_LEASED_GROUPS))
    .order_by(CallbackRow.next_attempt_at, CallbackRow.id)  # as in the index, so that no backlog is sorted
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_FINISH = (
    sa.update(CallbackRow)
    .where(CallbackRow.id.in_(sa.bindparam("ids", expanding=True)))
    .values(state=sa.bindparam("new_state"), last_error=sa.bindparam("error"))
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
    def stored_at(self) -> float:
        """Real time, seconds since 1970."""
        return self.give_up_at - UNMATCHED_AFTER_SECONDS


class NewCallback(NamedTuple):
    """`stored_at` is real time, seconds since 1970."""

    account: str
    callback_id: str
    group_key: str
    body: str
    stored_at: float


def store_callbacks(session: Session, callbacks: Sequence[NewCallback], received_at: datetime) -> Sequence[bool]:
    """In one statement. For each callback, whether it is new; one that is stored already is not."""
    connection = session.connection()
    rows = [
        {
            "account": one.account, "callback_id": one.callback_id, "group_key": one.group_key, "body": one.body,
            "received_at": received_at, "state": NEW, "next_attempt_at": one.stored_at,
            "give_up_at": one.stored_at + UNMATCHED_AFTER_SECONDS,
        }
        for one in callbacks
    ]  # fmt: skip
    new = {(account, name) for account, name in connection.execute(_STORE[connection.dialect.name], rows)}
    are_new: list[bool] = []
    for one in callbacks:
        are_new.append((one.account, one.callback_id) in new)
        new.discard((one.account, one.callback_id))
    return are_new


def claim_callbacks(session: Session, now: float, limit: int) -> Sequence[StoredCallback]:
    """Leases callbacks that are due, in the order of their arrival: of each billogram the oldest.

    Rows that another process has locked are skipped, and so are billograms of which one callback is leased.
    """
    until = now + LEASE_SECONDS
    oldest: dict[tuple[str, str], StoredCallback] = {}
    for row in session.execute(_DUE, {"now": now, "limit": limit}):
        callback = StoredCallback.model_validate({**row._mapping, "leased_until": until})
        oldest.setdefault((callback.account, callback.group_key), callback)
    lease(session, CallbackRow, [callback.id for callback in oldest.values()], until)
    return [*oldest.values()]


def callbacks_in_flight(session: Session, now: float) -> int:
    """How many are due. Callbacks that wait for another attempt do not count."""
    return callback_backlog(session, now).rows


def callback_backlog(session: Session, now: float) -> Backlog:
    return backlog(session, CallbackRow, now, CallbackRow.state == NEW)


def finish_callbacks(
    session: Session, callbacks: Iterable[StoredCallback], state: str, last_error: str | None = None
) -> None:
    values = {"ids": [callback.id for callback in callbacks], "new_state": state, "error": last_error}
    session.connection().execute(_FINISH, values)


def defer_callback(session: Session, callback: StoredCallback, next_attempt_at: float, last_error: str) -> None:
    defer(session, CallbackRow, callback.id, next_attempt_at, last_error)


def release_callbacks(session: Session, callbacks: Iterable[StoredCallback]) -> None:
    for callback in callbacks:
        release(session, CallbackRow, callback.id, callback.leased_until)


def failing_callbacks(session: Session, account: str) -> Sequence[StoredCallback]:
    """Callbacks whose last attempt failed and that will be retried."""
    return _stored(session, account, CallbackRow.state == NEW, CallbackRow.last_error.is_not(None))


def unmatched_callbacks(session: Session, account: str) -> Sequence[StoredCallback]:
    """Callbacks for which no bill was found within 24 hours."""
    return _stored(session, account, CallbackRow.state == UNMATCHED)


def _stored(session: Session, account: str, *conditions: sa.ColumnElement[bool]) -> Sequence[StoredCallback]:
    rows = session.scalars(
        sa.select(CallbackRow).where(CallbackRow.account == account, *conditions).order_by(CallbackRow.id)
    )
    return [StoredCallback.model_validate(row, from_attributes=True) for row in rows]
