"""Queries for contracts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.access.access import Access, AccessNow, AccessReason, access_at, block_of
from avtal.contracts.bills.bill import BillSnapshot
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractStatus, SkippedPeriods
from avtal.contracts.schedule import Ending, Schedule, next_renewal
from avtal.store.engine.database import IDS_PER_STATEMENT_MAX
from avtal.store.tables import ContractRow

BLOCKED = frozenset({AccessReason.PAST_GRACE, AccessReason.LOSS})
"""Access is off because of a bill."""

NOT_RENEWED = frozenset({ContractStatus.SUSPENDED, ContractStatus.ENDED})


class StoredContract(Frozen):
    """A contract's row. What depends on the time of reading is computed from it."""

    account: str
    contract_id: str
    subscriber_id: str
    sold_at: datetime
    current_terms: dict[str, object]
    schedule: Schedule
    currency: str
    counter: int
    status: ContractStatus
    access: Access
    reason: AccessReason
    since: datetime
    ending: Ending | None
    skipped_periods: tuple[SkippedPeriods, ...] = ()


def snapshot_of_row(stored: StoredContract) -> ContractSnapshot:
    return ContractSnapshot.model_validate(stored, from_attributes=True)


def current_access(stored: StoredContract, bills: Mapping[str, BillSnapshot], now: datetime) -> AccessNow:
    """Access and reason are those that the workflow wrote. The blocking bills and the next change are computed from
    `bills`, the result of `deciding_bills`."""
    blocks = [block for bill in bills.values() if (block := block_of(bill, stored.schedule.zone))]
    is_off = stored.reason in BLOCKED
    counted = [block for block in blocks if block.at > now or is_off]
    computed = access_at(stored.schedule, stored.sold_at, stored.ending, now, counted)
    return AccessNow(
        access=stored.access,
        reason=stored.reason,
        since=stored.since,
        blocking=computed.blocking if is_off else (),
        next_change=computed.next_change,
    )


def renews_on(stored: StoredContract, now: datetime) -> date | None:
    """The first day of the next period that will be billed; None if none will be."""
    return None if stored.status in NOT_RENEWED else next_renewal(stored.schedule, stored.ending, now)


def contract(session: Session, account: str, contract_id: str) -> StoredContract | None:
    row = session.get(ContractRow, (account, contract_id))
    return _read(row) if row else None


def contracts(
    session: Session, account: str, *, status: str | None, access: str | None, after: str, limit: int
) -> Sequence[StoredContract]:
    """In the order of their ids, from the one after `after` on."""
    query = sa.select(ContractRow).where(ContractRow.account == account, ContractRow.contract_id > after)
    if status is not None:
        query = query.where(ContractRow.status == status)
    if access is not None:
        query = query.where(ContractRow.access == access)
    return [_read(row) for row in session.scalars(query.order_by(ContractRow.contract_id).limit(limit))]


def contracts_by_id(session: Session, account: str, contract_ids: Sequence[str]) -> Iterator[StoredContract]:
    """In the order of their ids."""
    for first in range(0, len(contract_ids), IDS_PER_STATEMENT_MAX):
        ids = contract_ids[first : first + IDS_PER_STATEMENT_MAX]
        query = sa.select(ContractRow).where(ContractRow.account == account, ContractRow.contract_id.in_(ids))
        yield from (_read(row) for row in session.scalars(query.order_by(ContractRow.contract_id)))


def contracts_of_subscriber(session: Session, account: str, subscriber_id: str) -> Sequence[StoredContract]:
    rows = session.scalars(
        sa.select(ContractRow)
        .where(ContractRow.account == account, ContractRow.subscriber_id == subscriber_id)
        .order_by(ContractRow.contract_id)
    )
    return [_read(row) for row in rows]


def _read(row: ContractRow) -> StoredContract:
    return StoredContract.model_validate(row, from_attributes=True)
