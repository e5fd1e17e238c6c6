"""The outbox of messages to Temporal, in order per contract. The relay dispatches them.

Only a contract's oldest message can be claimed. So a start precedes its signals, and a contract whose dispatch fails
delays only itself.
"""

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from avtal.contracts.bills.bill import BillSnapshot
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.store.queues.lease import LEASE_SECONDS, Backlog, backlog, defer, is_due, lease, release
from avtal.store.tables import BillRow, ContractRow, OutboxRow
from avtal.store.tables.snapshots import snapshot_of

_OLDEST = sa.select(sa.func.min(OutboxRow.id)).group_by(OutboxRow.account, OutboxRow.contract_id)
_EARLIER = aliased(OutboxRow)
_IS_OF_SAME_CONTRACT = (_EARLIER.account == OutboxRow.account, _EARLIER.contract_id == OutboxRow.contract_id)
_DUE = (
    sa.select(
        OutboxRow.id,
        OutboxRow.account,
        OutboxRow.contract_id,
        OutboxRow.bill_id,
        OutboxRow.attempts,
        OutboxRow.last_error,
        OutboxRow.traceparent,
    )
    .where(is_due(OutboxRow), ~sa.exists().where(*_IS_OF_SAME_CONTRACT, _EARLIER.id < OutboxRow.id))
    .order_by(OutboxRow.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=OutboxRow)
)
_DELETE = sa.delete(OutboxRow).where(OutboxRow.id.in_(sa.bindparam("ids", expanding=True)))
_BILLS = sa.select(BillRow).where(
    # By each column: for pairs, SQLite scans the table.
    BillRow.account.in_(sa.bindparam("accounts", expanding=True)),
    BillRow.bill_id.in_(sa.bindparam("bills", expanding=True)),
)


class OutboxMessage(Frozen):
    """A contract's oldest message. Without a `bill_id` it starts the contract; with one it signals the bill.

    `snapshot` is the bill as it is now: what it was when the message was queued no longer matters.
    """

    id: int
    account: str
    contract_id: str
    bill_id: str | None
    attempts: int
    leased_until: float
    last_error: str | None
    traceparent: str | None
    snapshot: BillSnapshot | None = None


def queue_start(session: Session, account: str, contract_id: str) -> None:
    session.add(OutboxRow(account=account, contract_id=contract_id, bill_id=None))


def queue_start_if_none(session: Session, account: str, contract_id: str) -> None:
    """Queues a start for a contract whose workflow is missing, unless one is queued."""
    of_contract = (OutboxRow.account == account, OutboxRow.contract_id == contract_id)
    queued = sa.select(OutboxRow.id).where(*of_contract, OutboxRow.bill_id.is_(None)).limit(1)
    if session.scalar(queued) is None:
        queue_start(session, account, contract_id)


def requeue_start(session: Session, message: OutboxMessage) -> bool:
    """Queues a start before the message, whose workflow is missing. False if the contract has ended: then nothing is
    queued."""
    contract = session.get(ContractRow, (message.account, message.contract_id))
    if contract is None or contract.status == ContractStatus.ENDED:
        return False
    row = session.get(OutboxRow, message.id)
    if row is not None:
        session.add(OutboxRow(account=row.account, contract_id=row.contract_id, bill_id=row.bill_id))
        row.bill_id, row.leased_until = None, 0.0
    return True


def claim_messages(session: Session, now: float, limit: int) -> Sequence[OutboxMessage]:
    """Leases the oldest message of each contract, if it is due.

    A contract whose oldest message another process has locked or leased is skipped, which preserves the order. The
    cost does not depend on how many messages are queued.
    """
    due = session.execute(_DUE, {"now": now, "limit": limit}).all()
    until = now + LEASE_SECONDS
    lease(session, OutboxRow, [row.id for row in due], until)
    snapshots = _snapshots(session, [(row.account, row.bill_id) for row in due if row.bill_id is not None])
    return [
        OutboxMessage(**row._mapping, leased_until=until, snapshot=snapshots.get((row.account, row.bill_id)))
        for row in due
    ]


def messages_in_flight(session: Session, now: float) -> int:
    """How many are due. Messages that wait for another attempt do not count."""
    due = sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.next_attempt_at <= now)
    return session.scalar(due) or 0


def message_backlog(session: Session, now: float) -> Backlog:
    """Counts each contract's oldest message; the ones behind it wait for it."""
    return backlog(session, OutboxRow, now, OutboxRow.id.in_(_OLDEST))


def finish_message(session: Session, message: OutboxMessage) -> None:
    delete_messages(session, [message.id])


def defer_message(session: Session, message: OutboxMessage, next_attempt_at: float, last_error: str) -> None:
    defer(session, OutboxRow, message.id, next_attempt_at, last_error)


def release_messages(session: Session, messages: Iterable[OutboxMessage]) -> None:
    for message in messages:
        release(session, OutboxRow, message.id, message.leased_until)


def failing_messages(session: Session, account: str) -> Sequence[OutboxMessage]:
    """Messages whose last attempt failed and that will be retried."""
    rows = session.scalars(
        sa.select(OutboxRow)
        .where(OutboxRow.account == account, OutboxRow.last_error.is_not(None))
        .order_by(OutboxRow.id)
    )
    return [OutboxMessage.model_validate(row, from_attributes=True) for row in rows]


def delete_messages(session: Session, ids: Collection[int]) -> None:
    if ids:
        session.connection().execute(_DELETE, {"ids": [*ids]})


def _snapshots(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], BillSnapshot]:
    columns = {"accounts": [*{account for account, _ in keys}], "bills": [bill_id for _, bill_id in keys]}
    rows = session.scalars(_BILLS, columns) if keys else ()
    return {(row.account, row.bill_id): snapshot_of(row) for row in rows}
