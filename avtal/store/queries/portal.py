"""Queries for the portal: pages of lists, each with a small, fixed number of statements."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus
from avtal.contracts.bills.invoice import Subscriber
from avtal.store.queries.bills import StoredBill
from avtal.store.queries.contracts import StoredContract
from avtal.store.tables import BillRow, ContractRow, SubscriberRow

IS_PARKED = BillRow.status == sa.literal(BillStatus.PARKED.value, literal_execute=True)
"""A literal in the SQL: with a parameter, the database could not use the partial index of parked bills."""


class ContractFilter(NamedTuple):
    """`identity` is a contract's or a subscriber's id."""

    identity: str | None = None
    status: str | None = None
    access: str | None = None
    is_parked: bool = False


def contracts_page(
    session: Session, account: str, conditions: ContractFilter, *, after: str, limit: int
) -> Sequence[StoredContract]:
    """In the order of their ids, from the one after `after` on."""
    query = sa.select(ContractRow).where(ContractRow.account == account, ContractRow.contract_id > after)
    if conditions.identity is not None:
        query = query.where(ContractRow.contract_id.in_(_ids(account, conditions.identity)))
    if conditions.status is not None:
        query = query.where(ContractRow.status == conditions.status)
    if conditions.access is not None:
        query = query.where(ContractRow.access == conditions.access)
    if conditions.is_parked:
        parked = sa.select(BillRow.contract_id).where(
            BillRow.account == account, BillRow.contract_id > after, IS_PARKED
        )
        query = query.where(ContractRow.contract_id.in_(parked))
    rows = session.scalars(query.order_by(ContractRow.contract_id).limit(limit))
    return [StoredContract.model_validate(row, from_attributes=True) for row in rows]


def subscribers_of(session: Session, account: str, subscriber_ids: Sequence[str]) -> Mapping[str, Subscriber]:
    rows = session.scalars(
        sa.select(SubscriberRow).where(
            SubscriberRow.account == account, SubscriberRow.subscriber_id.in_(subscriber_ids)
        )
    )
    return {row.subscriber_id: Subscriber.model_validate(row.subscriber) for row in rows}


def parked_counts(session: Session, account: str, contract_ids: Sequence[str]) -> Mapping[str, int]:
    """The number of parked bills by contract; contracts without any are missing."""
    rows = session.execute(
        sa.select(BillRow.contract_id, sa.func.count().label("bills"))
        .where(BillRow.account == account, BillRow.contract_id.in_(contract_ids), IS_PARKED)
        .group_by(BillRow.contract_id)
    )
    return {row.contract_id: row.bills for row in rows}


def parked_bills(session: Session, account: str, contract_id: str, limit: int) -> Sequence[StoredBill]:
    """The oldest first."""
    return _bills(
        session,
        sa.select(BillRow)
        .where(BillRow.account == account, BillRow.contract_id == contract_id, IS_PARKED)
        .order_by(BillRow.period_no, BillRow.revision)
        .limit(limit),
    )


def bills_page(
    session: Session, account: str, contract_id: str, *, before: tuple[int, int] | None, limit: int
) -> Sequence[StoredBill]:
    """The newest first; from the one before this period and revision on."""
    place = sa.tuple_(BillRow.period_no, BillRow.revision)
    query = sa.select(BillRow).where(BillRow.account == account, BillRow.contract_id == contract_id)
    if before is not None:
        query = query.where(place < before)
    newest_first = query.order_by(BillRow.period_no.desc(), BillRow.revision.desc())
    return _bills(session, newest_first.limit(limit))


def _ids(account: str, identity: str) -> sa.CompoundSelect[str]:
    """Ids of the contracts with that id or subscriber: two index look-ups, where an `or` would scan all contracts."""
    ids = sa.select(ContractRow.contract_id).where(ContractRow.account == account)
    return sa.union(ids.where(ContractRow.contract_id == identity), ids.where(ContractRow.subscriber_id == identity))


def _bills(session: Session, query: sa.Select[BillRow]) -> Sequence[StoredBill]:
    return [StoredBill.model_validate(row, from_attributes=True) for row in session.scalars(query)]
