"""What the operator's pages read: lists in pages, each in a fixed and small number of queries."""

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
"""Written out in the SQL, so that the index of parked bills is known to hold all of them."""


class ContractFilter(NamedTuple):
    """`named` is a contract's or a subscriber's id."""

    named: str | None = None
    status: str | None = None
    access: str | None = None
    is_parked: bool = False


def contracts_page(
    session: Session, account: str, wanted: ContractFilter, *, after: str, limit: int
) -> Sequence[StoredContract]:
    """In the order of their ids, from the one after `after` on."""
    query = sa.select(ContractRow).where(ContractRow.account == account, ContractRow.contract_id > after)
    if wanted.named is not None:
        query = query.where(ContractRow.contract_id.in_(_named(account, wanted.named)))
    if wanted.status is not None:
        query = query.where(ContractRow.status == wanted.status)
    if wanted.access is not None:
        query = query.where(ContractRow.access == wanted.access)
    if wanted.is_parked:
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
    """How many bills of each contract are parked; a contract without any is not there."""
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


def _named(account: str, name: str) -> sa.CompoundSelect[str]:
    """Ids of the contracts of that id or that subscriber: two look-ups, where an `or` would read all contracts."""
    ids = sa.select(ContractRow.contract_id).where(ContractRow.account == account)
    return sa.union(ids.where(ContractRow.contract_id == name), ids.where(ContractRow.subscriber_id == name))


def _bills(session: Session, query: sa.Select[BillRow]) -> Sequence[StoredBill]:
    return [StoredBill.model_validate(row, from_attributes=True) for row in session.scalars(query)]
