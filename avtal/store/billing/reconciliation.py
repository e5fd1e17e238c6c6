"""What a sweep asks of the store, and what it writes: through the one door, with the bill's row locked."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import LIVE, BillStatus, Fact, FactType, ParkedReason, platform_key
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.contracts.bills.reconciliation import KnownBill
from avtal.contracts.frozen import Frozen
from avtal.store.billing.bills import copy_platform_fields, lock_bill
from avtal.store.billing.facts import append_facts, facts_of
from avtal.store.queues.inbox import NEW, UNMATCHED
from avtal.store.tables import AccountRow, BillRow, CallbackRow, FactRow

VANISHED_AFTER = timedelta(minutes=10)
OUR_OWN = (FactType.WAIVED, FactType.WITHDRAWN)
"""Facts that the platform knows nothing of."""


class Change(Frozen):
    """What recording one reading did to a bill."""

    bill: KnownBill
    before: BillStatus
    facts_new: int
    is_news: bool
    """The contract decides by it."""


class Callbacks(Frozen):
    """Callbacks that have not found their way: without a bill for a day, or tried in vain until now."""

    unmatched: int
    failing: int


def accounts(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AccountRow.account).order_by(AccountRow.account)))


def bills_of_invoices(session: Session, account: str, billogram_ids: Collection[str]) -> Mapping[str, KnownBill]:
    """By the platform's id, in two queries for a whole page."""
    rows = session.scalars(
        sa.select(BillRow).where(BillRow.account == account, BillRow.billogram_id.in_(billogram_ids))
    ).all()
    newest = _newest_facts(session, account, [row.bill_id for row in rows])
    return {row.billogram_id: _known(row, *newest.get(row.bill_id, (None, False))) for row in rows if row.billogram_id}


def bill_under_key(session: Session, account: str, key: str) -> BillRow | None:
    """A long bill id is shortened at the platform, and has to be looked for."""
    if "~" not in key:
        return session.get(BillRow, (account, key))
    begin = key.rpartition("~")[0]
    rows = session.scalars(
        sa.select(BillRow).where(BillRow.account == account, BillRow.bill_id.startswith(begin, autoescape=True))
    )
    return next((row for row in rows if platform_key(row.bill_id) == key), None)


def live_invoices(session: Session, account: str) -> dict[str, str]:
    """Live bills by the platform's id of their invoices; those that are known to be deleted are over."""
    rows = session.execute(
        sa.select(BillRow.billogram_id, BillRow.bill_id).where(
            BillRow.account == account,
            BillRow.billogram_id.is_not(None),
            BillRow.status.in_(LIVE - {BillStatus.CREATING}),
            BillRow.parked_reason.is_distinct_from(ParkedReason.REMOTE_DELETED),
        )
    )
    return {str(billogram_id): bill_id for billogram_id, bill_id in rows}


def record_reading(session: Session, account: str, bill_id: str, invoice: RemoteInvoice) -> Change | None:
    """None for a bill that is left to its maker, or has another invoice meanwhile."""
    bill = lock_bill(session, account, bill_id)
    if bill is None or bill.status == BillStatus.CREATING or bill.billogram_id != invoice.billogram_id:
        return None
    before, known = BillStatus(bill.status), len(facts_of(session, bill))
    copy_platform_fields(bill, invoice)
    is_news = append_facts(session, bill, invoice.facts)
    session.flush()
    return _change(session, bill, before, known, is_news)


def record_gone(session: Session, account: str, bill_id: str, billogram_id: str, now: datetime) -> Change | None:
    """The platform holds no such invoice. What was never sent was deleted; else the sighting is kept (EDGE-19)."""
    bill = lock_bill(session, account, bill_id)
    if bill is None or bill.status not in LIVE - {BillStatus.CREATING} or bill.billogram_id != billogram_id:
        return None
    before, known = BillStatus(bill.status), len(facts_of(session, bill))
    if bill.dispatched_on is not None:
        bill.missing_since = bill.missing_since or now
        return _change(session, bill, before, known, is_news=False)
    gone = Fact(type=FactType.DELETED, at=now, source="reconciliation", digest=f"{billogram_id} is gone")
    is_news = append_facts(session, bill, [gone])
    session.flush()
    return _change(session, bill, before, known, is_news)


def seen_again(session: Session, account: str, bill_id: str) -> None:
    bill = lock_bill(session, account, bill_id)
    if bill is not None:
        bill.missing_since = None


def callbacks_in_trouble(session: Session, account: str) -> Callbacks:
    count = sa.select(sa.func.count()).select_from(CallbackRow).where(CallbackRow.account == account)
    return Callbacks(
        unmatched=session.scalar(count.where(CallbackRow.state == UNMATCHED)) or 0,
        failing=session.scalar(count.where(CallbackRow.state == NEW, CallbackRow.attempts > 0)) or 0,
    )


def _newest_facts(session: Session, account: str, bill_ids: Collection[str]) -> dict[str, tuple[datetime, bool]]:
    """When the platform's newest fact of each bill happened, and whether one says that it has ended."""
    has_ended = sa.func.max(sa.case((FactRow.type == FactType.ENDED, 1), else_=0))
    rows = session.execute(
        sa.select(FactRow.bill_id, sa.func.max(FactRow.at), has_ended)
        .where(FactRow.account == account, FactRow.bill_id.in_(bill_ids), FactRow.type.not_in(OUR_OWN))
        .group_by(FactRow.bill_id)
    )
    return {bill_id: (at, bool(ended)) for bill_id, at, ended in rows}


def _change(session: Session, bill: BillRow, before: BillStatus, known: int, is_news: bool) -> Change:
    newest = _newest_facts(session, bill.account, [bill.bill_id])
    now_known = _known(bill, *newest.get(bill.bill_id, (None, False)))
    return Change(bill=now_known, before=before, facts_new=len(facts_of(session, bill)) - known, is_news=is_news)


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
