"""What Temporal must still be told, in order per contract; the relay takes it from here until it is done.

A contract's oldest row is its turn; the later ones wait. So a start comes before its signals, and a contract whose
telling fails holds up itself alone.
"""

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from avtal.contracts.bills.bill import BillSnapshot
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.store.billing.bills import snapshot_of
from avtal.store.queues.inbox import LEASE_SECONDS, Backlog
from avtal.store.tables import BillRow, ContractRow, OutboxRow

_FIRST = sa.select(sa.func.min(OutboxRow.id)).group_by(OutboxRow.account, OutboxRow.contract_id)
"""The row of each contract whose turn it is."""
_CLAIMED = (
    OutboxRow.id,
    OutboxRow.account,
    OutboxRow.contract_id,
    OutboxRow.bill_id,
    OutboxRow.attempts,
    OutboxRow.last_error,
    OutboxRow.traceparent,
)
_NOW = sa.bindparam("now", type_=sa.Float)
_OF_THESE = OutboxRow.id.in_(sa.bindparam("ids", expanding=True))
_EARLIER = aliased(OutboxRow)
_IS_OF_SAME = (_EARLIER.account == OutboxRow.account, _EARLIER.contract_id == OutboxRow.contract_id)
_DUE = (
    sa.select(*_CLAIMED)
    .where(OutboxRow.next_attempt_at <= _NOW, OutboxRow.leased_until <= _NOW)
    .where(~sa.exists().where(*_IS_OF_SAME, _EARLIER.id < OutboxRow.id))
    .order_by(OutboxRow.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=OutboxRow)
)
_LEASE = sa.update(OutboxRow).where(_OF_THESE).values(leased_until=sa.bindparam("until"))
_FORGET = sa.delete(OutboxRow).where(_OF_THESE)
_BILLS = sa.select(BillRow).where(
    # Not by pairs, for which SQLite reads the whole table.
    BillRow.account.in_(sa.bindparam("accounts", expanding=True)),
    BillRow.bill_id.in_(sa.bindparam("bills", expanding=True)),
)


class OutboxMessage(Frozen):
    """One row whose turn it is. No `bill_id` means: start the contract; else `news` is the bill as it is now, for what
    was queued may be older and is no longer of interest."""

    id: int
    account: str
    contract_id: str
    bill_id: str | None
    attempts: int
    leased_until: float
    last_error: str | None
    traceparent: str | None
    news: BillSnapshot | None = None


def queue_start(session: Session, account: str, contract_id: str) -> None:
    session.add(OutboxRow(account=account, contract_id=contract_id, bill_id=None))


def queue_start_if_none(session: Session, account: str, contract_id: str) -> None:
    """A contract whose process was found missing is started, unless that is on its way already."""
    of_contract = (OutboxRow.account == account, OutboxRow.contract_id == contract_id)
    queued = sa.select(OutboxRow.id).where(*of_contract, OutboxRow.bill_id.is_(None)).limit(1)
    if session.scalar(queued) is None:
        queue_start(session, account, contract_id)


def requeue_start(session: Session, telling: OutboxMessage) -> bool:
    """The workflow of a live contract is not there: start it anew, before what is queued. False if it has ended."""
    contract = session.get(ContractRow, (telling.account, telling.contract_id))
    if contract is None or contract.status == ContractStatus.ENDED:
        return False
    row = session.get(OutboxRow, telling.id)
    if row is not None:
        session.add(OutboxRow(account=row.account, contract_id=row.contract_id, bill_id=row.bill_id))
        row.bill_id, row.leased_until = None, 0.0
    return True


def claim_messages(session: Session, now: float, limit: int, done: Collection[int] = ()) -> Sequence[OutboxMessage]:
    """The oldest row of each contract, if it is due, leased to the caller. `now` is real time; what is `done` goes.

    A contract whose oldest row another process has locked or leased is left to it, so that the order is kept. The
    question costs the same however much is queued.
    """
    forget(session, done)
    claimed = session.execute(_DUE, {"now": now, "limit": limit}).all()
    if not claimed:
        return []
    until = now + LEASE_SECONDS
    session.connection().execute(_LEASE, {"ids": [row.id for row in claimed], "until": until})
    news = _news(session, [(row.account, row.bill_id) for row in claimed if row.bill_id is not None])
    return [
        OutboxMessage(**row._mapping, leased_until=until, news=news.get((row.account, row.bill_id))) for row in claimed
    ]


def messages_in_flight(session: Session, now: float) -> int:
    """How many could be told at once; those that wait for another try do not count."""
    return (
        session.scalar(sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.next_attempt_at <= now)) or 0
    )


def message_backlog(session: Session, now: float) -> Backlog:
    """Of the rows whose turn it is: those behind them wait for them."""
    due = sa.select(sa.func.count(), sa.func.min(OutboxRow.next_attempt_at)).where(
        OutboxRow.id.in_(_FIRST), OutboxRow.next_attempt_at <= now
    )
    rows, oldest = session.execute(due).one()
    return Backlog(rows, now - oldest if rows else 0.0)


def told(session: Session, telling: OutboxMessage) -> None:
    forget(session, [telling.id])


def defer_message(session: Session, telling: OutboxMessage, next_attempt_at: float, last_error: str) -> None:
    session.execute(
        sa.update(OutboxRow)
        .where(OutboxRow.id == telling.id)
        .values(
            next_attempt_at=next_attempt_at, leased_until=0.0, attempts=OutboxRow.attempts + 1, last_error=last_error
        )
    )


def release_messages(session: Session, tellings: Iterable[OutboxMessage]) -> None:
    """What a process took and does not finish: another need not wait for the end of its leases."""
    for telling in tellings:
        session.execute(
            sa.update(OutboxRow)
            .where(OutboxRow.id == telling.id, OutboxRow.leased_until == telling.leased_until)
            .values(leased_until=0.0)
        )


def failing_messages(session: Session, account: str) -> Sequence[OutboxMessage]:
    """Those that were tried in vain and will be tried again, each with its trouble."""
    rows = session.scalars(
        sa.select(OutboxRow)
        .where(OutboxRow.account == account, OutboxRow.last_error.is_not(None))
        .order_by(OutboxRow.id)
    )
    return [OutboxMessage.model_validate(row, from_attributes=True) for row in rows]


def forget(session: Session, done: Collection[int]) -> None:
    if done:
        session.connection().execute(_FORGET, {"ids": [*done]})


def _news(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], BillSnapshot]:
    named = {"accounts": [*{account for account, _ in keys}], "bills": [bill_id for _, bill_id in keys]}
    rows = session.scalars(_BILLS, named) if keys else ()
    return {(row.account, row.bill_id): snapshot_of(row) for row in rows}
