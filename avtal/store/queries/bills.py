"""Queries for bills and their facts."""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillSnapshot, BillStatus, Fact, ParkedReason
from avtal.contracts.frozen import Frozen
from avtal.store.billing.facts import facts_of
from avtal.store.tables import BillRow, SubscriberRow
from avtal.store.tables.snapshots import snapshot_of


class StoredBill(Frozen):
    account: str
    bill_id: str
    contract_id: str
    period_no: int
    period_start: date
    period_end: date
    status: BillStatus
    parked_reason: ParkedReason | None
    parked_field: str | None
    provider_message: str | None
    policy_version: int
    grace_days: int | None
    reopened_on: date | None
    delivery_method: str | None
    billogram_id: str | None
    invoice_no: int | None
    ocr_number: str | None
    invoice_url: str | None
    currency: str
    agreed_total_minor: int
    total_minor: int
    vat_minor: int
    rounding_minor: int
    remaining_minor: int
    created_at: datetime
    dispatched_on: date | None
    due_date: date | None
    version: int


def bill(session: Session, account: str, bill_id: str) -> StoredBill | None:
    row = session.get(BillRow, (account, bill_id))
    return _read(row) if row else None


def history(session: Session, account: str, bill_id: str) -> Sequence[Fact]:
    """By date; facts of one instant in the order in which they were appended."""
    return facts_of(session, session.get_one(BillRow, (account, bill_id)))


def bills_of_contract(session: Session, account: str, contract_id: str) -> Sequence[StoredBill]:
    rows = session.scalars(
        sa.select(BillRow)
        .where(BillRow.account == account, BillRow.contract_id == contract_id)
        .order_by(BillRow.period_no, BillRow.revision)
    )
    return [_read(row) for row in rows]


def live_bills(session: Session, account: str, contract_ids: Sequence[str]) -> Sequence[StoredBill]:
    """The bills of several contracts that are not settled, expired, or void; one statement."""
    rows = session.scalars(
        sa.select(BillRow)
        .where(BillRow.account == account, BillRow.contract_id.in_(contract_ids))
        .where(BillRow.status.in_([BillStatus.CREATING, BillStatus.DRAFT, BillStatus.OPEN, BillStatus.PARKED]))
        .order_by(BillRow.period_no, BillRow.revision)
    )
    return [_read(row) for row in rows]


def deciding_bills(session: Session, account: str, contract_ids: Sequence[str]) -> dict[str, dict[str, BillSnapshot]]:
    """By contract and bill id: the bills that affect access now or later, which are open or expired. One statement."""
    found: dict[str, dict[str, BillSnapshot]] = {contract_id: {} for contract_id in contract_ids}
    rows = session.scalars(
        sa.select(BillRow)
        .where(BillRow.account == account, BillRow.contract_id.in_(contract_ids))
        .where(BillRow.status.in_([BillStatus.OPEN, BillStatus.EXPIRED]))
        .order_by(BillRow.period_no, BillRow.revision)
    )
    for row in rows:
        found[row.contract_id][row.bill_id] = snapshot_of(row)
    return found


def is_subscriber(session: Session, account: str, subscriber_id: str) -> bool:
    return session.get(SubscriberRow, (account, subscriber_id)) is not None


def _read(row: BillRow) -> StoredBill:
    return StoredBill.model_validate(row, from_attributes=True)
