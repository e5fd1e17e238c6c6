"""A bill that was begun (store/beginning.py): what is asked of the platform, what it answers, and what we decide."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillSnapshot, BillStatus, Parked, ParkedReason, platform_key
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.money import Row
from avtal.contracts.periods import Period, civil_day
from avtal.contracts.policy import Mode, OnLoss, Policy, RenewalWhileOff
from avtal.store.billing.bill_batch import BillBatch, lock_bills
from avtal.store.billing.facts import facts_of, parked_of, recompute
from avtal.store.feed.change_tracking import track_bill
from avtal.store.tables import BillRow


class MadeInvoice(NamedTuple):
    """A bill's invoice, as the platform made it, and its reader's number there."""

    account: str
    bill_id: str
    invoice: RemoteInvoice
    customer_no: int


def lock_bill(session: Session, account: str, identity: str) -> BillRow | None:
    return next(iter(lock_bills(session, [(account, identity)])), None)


def order_of(bill: BillRow, customer_no: int, now: datetime) -> InvoiceRequest:
    """What the platform is asked for; an automatic bill is dated on the day on which it is issued (PER-11)."""
    is_automatic = bill.mode == Mode.AUTOMATIC
    method = DeliveryMethod(bill.delivery_method) if bill.delivery_method else None
    last_day = Period(number=bill.period_no, start=bill.period_start, end=bill.period_end).last_day
    return InvoiceRequest(
        key=platform_key(bill.bill_id),
        custom=bill.bill_id,
        customer_no=customer_no,
        currency=bill.currency,
        rows=tuple(Row.model_validate(row) for row in bill.rows),
        row_text=f"{bill.period_start} – {last_day}",
        payment_days=bill.payment_days,
        invoice_date=civil_day(now, bill.zone) if is_automatic else None,
        edi_number=bill.edi_number if method is DeliveryMethod.EDI else None,
        send_by=method if is_automatic else None,
    )


def finish_bills(session: Session, made: Sequence[MadeInvoice]) -> Sequence[BillRow]:
    """The platform has their invoices: from now on facts decide. The bills are there; in the order of `made`."""
    bills = {(bill.account, bill.bill_id): bill for bill in lock_bills(session, {one[:2] for one in made})}
    ledger = BillBatch(session, [*bills.values()])
    for one in made:
        _finish_made(session, ledger, bills[one[:2]], one)
    ledger.write()
    return [bills[one[:2]] for one in made]


def _finish_made(session: Session, ledger: BillBatch, bill: BillRow, made: MadeInvoice) -> None:
    invoice = made.invoice
    if bill.billogram_id not in (None, invoice.billogram_id):  # a callback may have named it before (EDGE-14)
        ledger.write()  # parked by what the store knows, which another answer of this batch may have added to
        park_bill(session, bill, Parked(reason=ParkedReason.DUPLICATE_REMOTE), "")
        return
    expected, version = bill.total_minor, bill.version
    bill.customer_no = made.customer_no
    bill.made = True
    copy_platform_fields(bill, invoice)
    ledger.add(bill, invoice.facts, signal=False)
    if not _is_expected(invoice, expected):
        ledger.write()
        park_bill(session, bill, Parked(reason=ParkedReason.AMOUNT_MISMATCH, field="total_sum"), "")
    elif bill.version == version:
        bill.version += 1


def _is_expected(invoice: RemoteInvoice, total_minor: int) -> bool:
    """The platform's own invoice fee is no mismatch; with one, rounding may differ by less than a krona."""
    difference = abs(invoice.total_minor - invoice.fee_minor - total_minor)
    return difference < 100 if invoice.fee_minor else difference == 0


def copy_platform_fields(bill: BillRow, invoice: RemoteInvoice) -> None:
    """What only the platform knows of its invoice."""
    bill.billogram_id = invoice.billogram_id
    bill.invoice_no, bill.ocr_number, bill.invoice_url = invoice.invoice_no, invoice.ocr_number, invoice.url
    bill.vat_minor, bill.rounding_minor = invoice.vat_minor, invoice.rounding_minor
    bill.fingerprint = invoice.shown.fingerprint if invoice.shown else None
    bill.missing_since = None


def park_bill(session: Session, bill: BillRow, parked: Parked, provider_message: str) -> None:
    """`provider_message` is the platform's own, for the person who fixes the cause."""
    track_bill(session, bill)
    bill.parked_reason, bill.parked_field, bill.provider_message = parked.reason, parked.field, provider_message or None
    finish_without_invoice(session, bill)


def void_bill(session: Session, bill: BillRow) -> None:
    bill.void = True
    finish_without_invoice(session, bill)


def snapshot_of(bill: BillRow) -> BillSnapshot:
    return BillSnapshot(
        bill_id=bill.bill_id,
        period=bill.period_no,
        revision=bill.revision,
        version=bill.version,
        status=BillStatus(bill.status),
        dispatched_on=bill.dispatched_on,
        due_date=bill.due_date,
        remaining_minor=bill.remaining_minor,
        lost_at=bill.lost_at,
        reopened_on=bill.reopened_on,
        parked=parked_of(bill) if bill.status == BillStatus.PARKED else None,
        policy_version=bill.policy_version,
        grace_days=bill.grace_days,
        on_loss=OnLoss(bill.on_loss),
        lead_days=bill.lead_days,
        work_window_minutes=bill.work_window_minutes,
        start_slot_seconds=bill.start_slot_seconds,
        renewal_while_off=RenewalWhileOff(bill.renewal_while_off),
        max_open_bills=bill.max_open_bills,
    )


def apply_policy(bill: BillRow, version: int, policy: Policy) -> None:
    """What of a policy steers a bill after it was made."""
    bill.policy_version = version
    bill.grace_days, bill.on_loss = policy.grace_days, policy.on_loss
    bill.lead_days, bill.work_window_minutes = policy.renewal_lead_days, policy.work_window_minutes
    bill.renewal_while_off, bill.max_open_bills = policy.renewal_while_off, policy.max_open_bills


def finish_without_invoice(session: Session, bill: BillRow) -> None:
    """The answer to the contract's own order: always news, and returned instead of signalled."""
    session.flush()
    if not recompute(session, bill, facts_of(session, bill), signal=False):
        bill.version += 1
