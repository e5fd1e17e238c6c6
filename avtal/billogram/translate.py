"""Translates between Billogram's terms and ours, together with events.py. No other module knows both.

In Billogram, `paid_sum` and `credited_sum` are negative, and `discount` is an amount off the whole row. Only the
billogram itself has the due date. So reading a sent one adds the fact `invoiced`, and adds another after each respite.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from avtal.billogram.events import FACT_TYPES, digest_of, event_facts, minor
from avtal.billogram.shapes import (
    EVENT_KIND,
    RECALL_KIND,
    Billogram,
    Callback,
    CallbackKind,
    ListedBillogram,
    RecallCallback,
)
from avtal.contracts.bills.bill import Fact, FactType
from avtal.contracts.bills.invoice import (
    CallbackFacts,
    InvoiceRequest,
    ListedInvoice,
    RemoteInvoice,
    RemoteRow,
    Stage,
    Subscriber,
)
from avtal.contracts.delivery import is_email
from avtal.contracts.money import Row

DRAFT_STATE = "Unattested"

OPEN_STATES = (
    *("Unpaid", "PartlyPaid", "Overdue", "Reminder_1", "Reminder_2", "Reminder_3", "Reminder_Many"),
    *("Collecting", "Collection", "CollectorEnded", "Factoring", "FactoringDenied"),
)
"""An invoice that the collector returned is still owed."""
SETTLED_STATES = ("Paid", "Credited", "Sold")
ENDED_STATES = ("Ended",)
STAGES = {
    DRAFT_STATE: Stage.DRAFT,
    **dict.fromkeys(SETTLED_STATES, Stage.SETTLED),
    **dict.fromkeys(ENDED_STATES, Stage.ENDED),
}
"""Every other state is open."""


def invoice_body(request: InvoiceRequest) -> dict[str, Any]:
    """The body of POST /billogram."""
    body: dict[str, Any] = {
        "customer": {"customer_no": request.customer_no},
        "items": [_item(row, request.row_text) for row in request.rows],
        "currency": request.currency,
        "due_days": request.payment_days,
        "creditor_unique_value": request.key,
        "callbacks": {"custom": request.custom},
    }
    if request.invoice_date is not None:
        body["invoice_date"] = request.invoice_date.isoformat()
    if request.edi_number is not None:
        body["regional_sweden"] = {"edi": {"electronic_id": request.edi_number}}
    if request.send_by is not None:
        body["on_success"] = {"command": "send", "method": request.send_by.value}
    return body


def customer_body(subscriber: Subscriber) -> dict[str, Any]:
    """The body of PUT /customer, and of POST without number and notes. A missing e-mail address is sent as empty."""
    email = subscriber.email if is_email(subscriber.email) else None
    body: dict[str, Any] = {
        "name": subscriber.name,
        "company_type": "business" if subscriber.company else "individual",
        "org_no": subscriber.org_no or "",
        "contact": {
            "name": subscriber.name,
            "email": email or "",
            "phone": subscriber.phone or "",
        },
        "language": subscriber.language or "",
    }
    if subscriber.address is not None:
        body["address"] = {
            "street_address": subscriber.address.street,
            "zipcode": subscriber.address.zipcode,
            "city": subscriber.address.city,
            "country": subscriber.address.country,
        }
    return body


def remote_invoice(billogram: Billogram) -> RemoteInvoice:
    """VAT and rounding are in whole öre, as in contracts.money, so that net, VAT, and rounding add up to the total.

    The platform's rounding refers to unrounded sums, and would not.
    """
    total_minor, sums = minor(billogram.total_sum), billogram.detailed_sums
    return RemoteInvoice(
        billogram_id=billogram.id,
        key=billogram.creditor_unique_value,
        customer_no=billogram.customer.customer_no,
        currency=billogram.currency,
        rows=tuple(
            RemoteRow(
                title=item.title or "",
                count=item.count,
                price=item.price,
                discount=item.discount or Decimal(0),
                vat_rate=item.vat,
            )
            for item in billogram.items
        ),
        is_draft=billogram.state == DRAFT_STATE,
        total_minor=total_minor,
        paid_minor=-minor(sums.paid_sum + sums.collector_paid_sum),
        remaining_minor=minor(billogram.remaining_sum),
        fee_minor=minor(sums.invoice_fee * (1 + sums.invoice_fee_vat / 100)),
        vat_minor=minor(sums.vat_sum),
        rounding_minor=total_minor - minor(sums.net_sum) - minor(sums.vat_sum),
        due_date=billogram.respite_date or billogram.due_date,
        invoice_no=billogram.invoice_no,
        ocr_number=billogram.ocr_number,
        url=billogram.url,
        facts=(*event_facts(billogram.id, billogram.events, "billogram read"), *_invoiced(billogram)),
        late_fees_minor=minor(sums.reminder_fee + sums.interest_fee),
        listed=listed_invoice(billogram),
    )


def listed_invoice(billogram: ListedBillogram) -> ListedInvoice:
    """A draft's due date is relative to today, and so no part of its fingerprint."""
    stage = STAGES.get(billogram.state, Stage.OPEN)
    total, remaining = minor(billogram.total_sum), minor(billogram.remaining_sum)
    due_date = None if stage is Stage.DRAFT else billogram.due_date
    return ListedInvoice(
        billogram_id=billogram.id,
        key=billogram.creditor_unique_value,
        stage=stage,
        total_minor=total,
        remaining_minor=remaining,
        invoice_date=billogram.invoice_date,
        due_date=due_date,
        updated_at=billogram.updated_at,
        fingerprint=f"{billogram.state} {total} {remaining} {due_date} {billogram.updated_at}",
    )


def agrees(invoice: RemoteInvoice, request: InvoiceRequest) -> bool:
    """Whether an invoice found under our key is the requested one."""
    ours = tuple(_remote_row(row) for row in request.rows)
    return (invoice.customer_no, invoice.currency, invoice.rows) == (request.customer_no, request.currency, ours)


def callback_facts(body: str) -> tuple[CallbackFacts, ...]:
    """The facts of a callback's body, by invoice; empty if its type concerns no invoice. Raises ValidationError."""
    kind = CallbackKind.model_validate_json(body).callback_type
    if kind == EVENT_KIND:
        return (_event_facts(Callback.model_validate_json(body)),)
    return _recall_facts(RecallCallback.model_validate_json(body)) if kind == RECALL_KIND else ()


def _event_facts(callback: Callback) -> CallbackFacts:
    sums = callback.billogram.detailed_sums
    return CallbackFacts(
        billogram_id=callback.billogram.id,
        custom=callback.custom,
        facts=tuple(event_facts(callback.billogram.id, [callback.event], "callback")),
        paid_minor=-minor(sums.paid_sum + sums.collector_paid_sum),
        credited_minor=-minor(sums.credited_sum),
    )


def _recall_facts(callback: RecallCallback) -> tuple[CallbackFacts, ...]:
    """One payment may have paid several invoices. A recall has no sums."""
    recalled = [payable.billogram for payable in callback.payment_recall.payables if payable.billogram]
    return tuple(
        CallbackFacts(
            billogram_id=one.id,
            custom=None,
            facts=tuple(event_facts(one.id, [one.event], "callback")),
            paid_minor=None,
            credited_minor=None,
        )
        for one in recalled
    )


def _item(row: Row, text: str) -> dict[str, Any]:
    return {
        "title": row.title,
        "description": text,
        "count": row.count,
        "price": Decimal(row.price_minor) / 100,
        "discount": Decimal(row.discount_minor) / 100,
        "vat": row.vat_rate,
        "unit": "unit",
    }


def _remote_row(row: Row) -> RemoteRow:
    return RemoteRow(
        title=row.title,
        count=Decimal(row.count),
        price=Decimal(row.price_minor) / 100,
        discount=Decimal(row.discount_minor) / 100,
        vat_rate=row.vat_rate,
    )


def _invoiced(billogram: Billogram) -> list[Fact]:
    """What only the billogram has of its dispatch: the sum as sent, and the due date.

    Each move of the due date adds another one, which is the newest of its second.
    """
    due_date = billogram.respite_date or billogram.due_date
    if billogram.attested_at is None or due_date is None:
        return []
    total = minor(billogram.total_sum)
    moves = sum(FACT_TYPES.get(event.type) is FactType.DUE_DATE_MOVED for event in billogram.events)
    at = max(billogram.attested_at, billogram.updated_at or billogram.attested_at)
    return [
        Fact(
            type=FactType.INVOICED,
            at=at + timedelta(microseconds=moves),
            source="billogram read",
            digest=digest_of(f"{billogram.id} invoiced {total} {due_date}" + (f" #{moves}" if moves else "")),
            total_minor=total,
            due_date=due_date,
            detail={"invoice_no": billogram.invoice_no, "ocr_number": billogram.ocr_number},
        )
    ]
