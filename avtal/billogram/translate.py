"""The one place that knows Billogram's words and ours, with events.py beside it. Their traps live here.

`paid_sum` and `credited_sum` are negative there; `discount` is an amount off the whole row. Only the billogram itself
says when it is due: reading one that was sent adds the fact `invoiced`, and adds it anew when a respite came or went.
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
"""What the collector gave back is owed still."""
SETTLED_STATES = ("Paid", "Credited", "Sold")
ENDED_STATES = ("Ended",)
STAGES = {
    DRAFT_STATE: Stage.DRAFT,
    **dict.fromkeys(SETTLED_STATES, Stage.SETTLED),
    **dict.fromkeys(ENDED_STATES, Stage.ENDED),
}
"""Every other state is open."""


def invoice_body(order: InvoiceRequest) -> dict[str, Any]:
    """The body of POST /billogram (section 9.1)."""
    body: dict[str, Any] = {
        "customer": {"customer_no": order.customer_no},
        "items": [_item(row, order.row_text) for row in order.rows],
        "currency": order.currency,
        "due_days": order.payment_days,
        "creditor_unique_value": order.key,
        "callbacks": {"custom": order.custom},
    }
    if order.invoice_date is not None:
        body["invoice_date"] = order.invoice_date.isoformat()
    if order.edi_number is not None:
        body["regional_sweden"] = {"edi": {"electronic_id": order.edi_number}}
    if order.send_by is not None:
        body["on_success"] = {"command": "send", "method": order.send_by.value}
    return body


def customer_body(subscriber: Subscriber) -> dict[str, Any]:
    """The body of PUT /customer (section 7), and of POST but for number and notes. No e-mail address is left out."""
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
    """VAT and rounding are those of contracts.money: in whole öre, and with the net they add up to the total.

    The platform's own rounding is of unrounded sums (section 6), so it would not.
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
        shown=listed_invoice(billogram),
    )


def listed_invoice(billogram: ListedBillogram) -> ListedInvoice:
    """A draft's due date is the one that it would have today, and so no part of its fingerprint."""
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


def agrees(invoice: RemoteInvoice, order: InvoiceRequest) -> bool:
    """Whether an invoice found under our key is the one that we ordered."""
    ours = tuple(_remote_row(row) for row in order.rows)
    return (invoice.customer_no, invoice.currency, invoice.rows) == (order.customer_no, order.currency, ours)


def callback_facts(body: str) -> tuple[CallbackFacts, ...]:
    """What a callback's body tells of invoices; nothing if its kind tells of none. Raises ValidationError."""
    kind = CallbackKind.model_validate_json(body).callback_type
    if kind == EVENT_KIND:
        return (_event_news(Callback.model_validate_json(body)),)
    return _recall_news(RecallCallback.model_validate_json(body)) if kind == RECALL_KIND else ()


def _event_news(callback: Callback) -> CallbackFacts:
    sums = callback.billogram.detailed_sums
    return CallbackFacts(
        billogram_id=callback.billogram.id,
        custom=callback.custom,
        facts=tuple(event_facts(callback.billogram.id, [callback.event], "callback")),
        paid_minor=-minor(sums.paid_sum + sums.collector_paid_sum),
        credited_minor=-minor(sums.credited_sum),
        at=callback.event.created_at,
    )


def _recall_news(callback: RecallCallback) -> tuple[CallbackFacts, ...]:
    """One payment may have paid several invoices; it tells no sums of any."""
    recalled = [payable.billogram for payable in callback.payment_recall.payables if payable.billogram]
    return tuple(
        CallbackFacts(
            billogram_id=one.id,
            custom=None,
            facts=tuple(event_facts(one.id, [one.event], "callback")),
            paid_minor=None,
            credited_minor=None,
            at=one.event.created_at,
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
    """What only the billogram itself tells of its dispatch: the sum as sent, and when it is due.

    After each move of the due date it is told anew, and stays the newest word among those of the same second.
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
