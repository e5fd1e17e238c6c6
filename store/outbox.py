"""What Temporal must still be told, in order per contract; the relay takes it from here until it is done.

A contract's oldest row is its turn; the later ones wait. So a start comes before its signals, and a contract whose
telling fails holds up itself alone.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from contracts.bill import BillRecord
from contracts.record import Record
from contracts.state import ContractStatus
from store.bills import record_of
from store.inbox import LEASE_SECONDS
from store.schema import BillRow, ContractRow, OutboxRow


class Telling(Record):
    """One row whose turn it is. No `bill_id` means: start the contract."""

    id: int
    account: str
    contract_id: str
    bill_id: str | None
    attempts: int


def queue_start(session: Session, account: str, contract_id: str) -> None:
    session.add(OutboxRow(account=account, contract_id=contract_id, bill_id=None))


def queue_start_if_none(session: Session, account: str, contract_id: str) -> None:
    """A contract whose process was found missing is started, unless that is on its way already."""
    of_contract = (OutboxRow.account == account, OutboxRow.contract_id == contract_id)
    queued = sa.select(OutboxRow.id).where(*of_contract, OutboxRow.bill_id.is_(None)).limit(1)
    if session.scalar(queued) is None:
        queue_start(session, account, contract_id)


def queue_start_again(session: Session, telling: Telling) -> bool:
    """The workflow of a live contract is not there: start it anew, before what is queued. False if it has ended."""
    contract = session.get(ContractRow, (telling.account, telling.contract_id))
    if contract is None or contract.status == ContractStatus.ENDED:
        return False
    row = session.get(OutboxRow, telling.id)
    if row is not None:
        session.add(OutboxRow(account=row.account, contract_id=row.contract_id, bill_id=row.bill_id))
        row.bill_id, row.leased_until = None, 0.0
    return True


def claim_tellings(session: Session, now: float, limit: int) -> Sequence[Telling]:
    """The oldest row of each contract, if it is due, leased to the caller. `now` is real time.

    A contract whose oldest row another process has locked or leased is left to it, so that the order is kept.
    """
    first = sa.select(sa.func.min(OutboxRow.id)).group_by(OutboxRow.account, OutboxRow.contract_id)
    rows = session.scalars(
        sa.select(OutboxRow)
        .where(OutboxRow.id.in_(first), OutboxRow.try_at <= now, OutboxRow.leased_until <= now)
        .order_by(OutboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.leased_until = now + LEASE_SECONDS
    return [Telling.model_validate(row, from_attributes=True) for row in rows]


def tellings_under_way(session: Session, now: float) -> int:
    """How many could be told at once; those that wait for another try do not count."""
    return session.scalar(sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.try_at <= now)) or 0


def told(session: Session, telling: Telling) -> None:
    session.execute(sa.delete(OutboxRow).where(OutboxRow.id == telling.id))


def tell_later(session: Session, telling: Telling, try_at: float) -> None:
    session.execute(
        sa.update(OutboxRow)
        .where(OutboxRow.id == telling.id)
        .values(try_at=try_at, leased_until=0.0, attempts=OutboxRow.attempts + 1)
    )


def news_of(session: Session, telling: Telling) -> BillRecord | None:
    """The bill as it is now; what was queued may be older, and is no longer of interest."""
    row = session.get(BillRow, (telling.account, telling.bill_id))
    return record_of(row) if row else None
