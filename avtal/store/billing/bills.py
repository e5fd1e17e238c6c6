"""Stores the result of creating a bill: the platform's invoice, or the reason why there is none."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import Parked, ParkedReason, platform_key
from avtal.contracts.bills.creation import is_expected_total
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.money import Row
from avtal.contracts.periods import Period, civil_day
from avtal.contracts.policy import Mode, Policy
from avtal.store.billing.bill_locks import lock_bills
from avtal.store.billing.facts import BillBatch, facts_of, recompute
from avtal.store.feed.change_tracking import track_bill
from avtal.store.tables import BillRow


class MadeInvoice(NamedTuple):
    """The invoice that the platform made for a bill, and the subscriber's customer number there."""

    account: str
    bill_id: str
    invoice: RemoteInvoice
    customer_no: int


def invoice_request(bill: BillRow, customer_no: int, now: datetime) -> InvoiceRequest:
    """An automatic bill is dated on the day it is issued (PER-10); a draft is dated by the platform."""
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
    """Writes the invoices of bills that exist. Returns the bills in the order of `made`."""
    bills = {(bill.account, bill.bill_id): bill for bill in lock_bills(session, {one[:2] for one in made})}
    batch = BillBatch(session, [*bills.values()])
    for one in made:
        _finish_bill(session, batch, bills[one[:2]], one)
    batch.write()
    return [bills[one[:2]] for one in made]


def _finish_bill(session: Session, batch: BillBatch, bill: BillRow, made: MadeInvoice) -> None:
    invoice = made.invoice
    if bill.billogram_id not in (None, invoice.billogram_id):  # a callback may have set it before (EDGE-14)
        batch.write()  # parking reads the stored facts, and another invoice of this batch may have added some
        park_bill(session, bill, Parked(reason=ParkedReason.DUPLICATE_REMOTE), "")
        return
    expected, version = bill.total_minor, bill.version
    bill.customer_no = made.customer_no
    bill.made = True
    copy_platform_fields(bill, invoice)
    batch.append_facts(bill, invoice.facts, signal=False)
    if not is_expected_total(invoice, expected):
        batch.write()
        park_bill(session, bill, Parked(reason=ParkedReason.AMOUNT_MISMATCH, field="total_sum"), "")
    elif bill.version == version:
        bill.version += 1


def copy_platform_fields(bill: BillRow, invoice: RemoteInvoice) -> None:
    """Copies what only the platform knows of its invoice."""
    bill.billogram_id = invoice.billogram_id
    bill.invoice_no, bill.ocr_number, bill.invoice_url = invoice.invoice_no, invoice.ocr_number, invoice.url
    bill.vat_minor, bill.rounding_minor = invoice.vat_minor, invoice.rounding_minor
    bill.fingerprint = invoice.listed.fingerprint if invoice.listed else None
    bill.missing_since = None


def park_bill(session: Session, bill: BillRow, parked: Parked, provider_message: str) -> None:
    """`provider_message` is the platform's, for the person who fixes the cause; it may be empty."""
    track_bill(session, bill)
    bill.parked_reason, bill.parked_field, bill.provider_message = parked.reason, parked.field, provider_message or None
    recompute_after_decision(session, bill)


def void_bill(session: Session, bill: BillRow) -> None:
    bill.void = True
    recompute_after_decision(session, bill)


def apply_policy(bill: BillRow, version: int, policy: Policy) -> None:
    """Sets the fields of the policy that affect a bill after its creation."""
    bill.policy_version = version
    bill.grace_days, bill.on_loss = policy.grace_days, policy.on_loss
    bill.lead_days, bill.work_window_minutes = policy.renewal_lead_days, policy.work_window_minutes
    bill.renewal_while_off, bill.max_open_bills = policy.renewal_while_off, policy.max_open_bills


def recompute_after_decision(session: Session, bill: BillRow) -> None:
    """The contract requested the decision. Its activity returns the snapshot: the version always rises, and no message
    is queued."""
    session.flush()
    if not recompute(session, bill, facts_of(session, bill), signal=False):
        bill.version += 1
