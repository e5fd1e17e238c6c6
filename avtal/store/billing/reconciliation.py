"""What a sweep reads from the store, and what it writes of the platform's invoices."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import LIVE, BillStatus, Fact, FactType, ParkedReason, platform_key
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.contracts.bills.reconciliation import KnownBill
from avtal.contracts.frozen import Frozen
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.bills import copy_platform_fields
from avtal.store.billing.facts import append_facts, facts_of
from avtal.store.queues.inbox import NEW, UNMATCHED
from avtal.store.tables import AccountRow, BillRow, CallbackRow, FactRow

MISSING_CONFIRMED_AFTER = timedelta(minutes=10)
"""How long the platform must report an invoice as missing."""
OUR_OWN = (FactType.WAIVED, FactType.WITHDRAWN)
"""Facts that the platform does not have."""


class Change(Frozen):
    """What one reading of an invoice changed."""

    bill: KnownBill
    before: BillStatus
    facts_new: int
    version_rose: bool
    """Something changed that the contract decides by."""


class CallbackCounts(Frozen):
    """Callbacks without facts: no bill was found within 24 hours, or all attempts have failed so far."""

    unmatched: int
    failing: int


def accounts(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AccountRow.account).order_by(AccountRow.account)))


def bills_of_invoices(session: Session, account: str, billogram_ids: Collection[str]) -> Mapping[str, KnownBill]:
    """By the platform's id, in two statements for a whole page."""
    rows = session.scalars(
        sa.select(BillRow).where(BillRow.account == account, BillRow.billogram_id.in_(billogram_ids))
    ).all()
    newest = _newest_facts(session, account, [row.bill_id for row in rows])
    return {row.billogram_id: _known(row, *newest.get(row.bill_id, (None, False))) for row in rows if row.billogram_id}


def bill_under_key(session: Session, account: str, key: str) -> BillRow | None:
    """The bill whose `platform_key` this is. The platform has long bill ids in a shortened form."""
    if "~" not in key:
        return session.get(BillRow, (account, key))
    start = key.rpartition("~")[0]
    rows = session.scalars(
        sa.select(BillRow).where(BillRow.account == account, BillRow.bill_id.startswith(start, autoescape=True))
    )
    return next((row for row in rows if platform_key(row.bill_id) == key), None)


def live_invoices(session: Session, account: str) -> dict[str, str]:
    """Ids of live bills by the platform's id of their invoices, without those that were deleted there."""
    rows = session.execute(
        sa.select(BillRow.billogram_id, BillRow.bill_id).where(
            BillRow.account == account,
            BillRow.billogram_id.is_not(None),
            BillRow.status.in_(LIVE - {BillStatus.CREATING}),
            BillRow.parked_reason.is_distinct_from(ParkedReason.REMOTE_DELETED),
        )
    )
    return {str(billogram_id): bill_id for billogram_id, bill_id in rows}


def record_invoice(session: Session, account: str, bill_id: str, invoice: RemoteInvoice) -> Change | None:
    """Appends the invoice's facts. None if the bill is still creating, or has another invoice by now."""
    bill = lock_bill(session, account, bill_id)
    if bill is None or bill.status == BillStatus.CREATING or bill.billogram_id != invoice.billogram_id:
        return None
    before, known = BillStatus(bill.status), len(facts_of(session, bill))
    copy_platform_fields(bill, invoice)
    version_rose = append_facts(session, bill, invoice.facts)
    session.flush()
    return _change(session, bill, before, known, version_rose)


def record_missing(session: Session, account: str, bill_id: str, billogram_id: str, now: datetime) -> Change | None:
    """The platform holds no such invoice. One that was never sent counts as deleted; for any other, the time is stored
    (EDGE-19). None if the bill is no longer live, or has another invoice by now."""
    bill = lock_bill(session, account, bill_id)
    if bill is None or bill.status not in LIVE - {BillStatus.CREATING} or bill.billogram_id != billogram_id:
        return None
    before, known = BillStatus(bill.status), len(facts_of(session, bill))
    if bill.dispatched_on is not None:
        bill.missing_since = bill.missing_since or now
        return _change(session, bill, before, known, version_rose=False)
    deleted = Fact(type=FactType.DELETED, at=now, source="reconciliation", digest=f"{billogram_id} is deleted")
    version_rose = append_facts(session, bill, [deleted])
    session.flush()
    return _change(session, bill, before, known, version_rose)


def clear_missing(session: Session, account: str, bill_id: str) -> None:
    """The platform holds the invoice after all."""
    bill = lock_bill(session, account, bill_id)
    if bill is not None:
        bill.missing_since = None


def callback_counts(session: Session, account: str) -> CallbackCounts:
    count = sa.select(sa.func.count()).select_from(CallbackRow).where(CallbackRow.account == account)
    return CallbackCounts(
        unmatched=session.scalar(count.where(CallbackRow.state == UNMATCHED)) or 0,
        failing=session.scalar(count.where(CallbackRow.state == NEW, CallbackRow.attempts > 0)) or 0,
    )


def _newest_facts(session: Session, account: str, bill_ids: Collection[str]) -> dict[str, tuple[datetime, bool]]:
    """By bill: when the platform's newest fact happened, and whether one is an end of the billogram."""
    has_ended = sa.func.max(sa.case((FactRow.type == FactType.ENDED, 1), else_=0))
    rows = session.execute(
        sa.select(FactRow.bill_id, sa.func.max(FactRow.at), has_ended)
        .where(FactRow.account == account, FactRow.bill_id.in_(bill_ids), FactRow.type.not_in(OUR_OWN))
        .group_by(FactRow.bill_id)
    )
    return {bill_id: (at, bool(ended)) for bill_id, at, ended in rows}


def _change(session: Session, bill: BillRow, before: BillStatus, known: int, version_rose: bool) -> Change:
    newest = _newest_facts(session, bill.account, [bill.bill_id])
    now_known = _known(bill, *newest.get(bill.bill_id, (None, False)))
    return Change(
        bill=now_known, before=before, facts_new=len(facts_of(session, bill)) - known, version_rose=version_rose
    )


def _known(row: BillRow, known_until: datetime | None, has_ended: bool) -> KnownBill:
    return KnownBill(
        bill_id=row.bill_id,
        status=BillStatus(row.status),
        total_minor=row.total_minor,
        remaining_minor=row.remaining_minor,
        due_date=row.due_date,
        fingerprint=row.fingerprint,
        missing_since=row.missing_since,
        known_until=known_until,
        has_ended=has_ended,
    )
