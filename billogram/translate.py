"""The one place that knows Billogram's words and ours. Their traps live here and nowhere else.

Their `Writeoff` waives fees and is no loss; ours is `fees_waived`. Their `paid_sum` and `credited_sum` are negative.
Their `discount` is an amount off the whole row. A dispatch says no due date: only the billogram itself does, so that
reading one that was sent adds the fact `invoiced`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import simplejson

from billogram.shapes import EVENT_KIND, Billogram, Callback, CallbackKind, Event
from contracts.bill import Fact, FactType
from contracts.delivery import is_email
from contracts.invoice import CallbackNews, InvoiceOrder, RemoteInvoice, RemoteRow, Subscriber
from contracts.money import Row

DRAFT_STATE = "Unattested"

FACT_TYPES = {
    "BillogramCreated": FactType.CREATED,
    "BillogramSent": FactType.DISPATCHED,
    "DeliveryAccepted": FactType.DELIVERED,
    "LetterSent": FactType.DELIVERED,
    "EfakturaSent": FactType.DELIVERED,
    "DeliveryFailed": FactType.DELIVERY_FAILED,
    "EmailNotAccepted": FactType.DELIVERY_FAILED,
    "SmsNotAccepted": FactType.DELIVERY_FAILED,
    "DeliverySmsFailed": FactType.DELIVERY_FAILED,
    "EfakturaFailed": FactType.DELIVERY_FAILED,
    "Payment": FactType.PAYMENT,
    "CollectorPayment": FactType.PAYMENT,
    "Credit": FactType.CREDIT,
    "ConfirmedLoss": FactType.LOSS,
    "Writeoff": FactType.FEES_WAIVED,
    "Writedown": FactType.DOUBTFUL,
    "RevertWritedown": FactType.DOUBTFUL_REVERTED,
    "OverpaymentAdjustment": FactType.OVERPAYMENT,
    "OverpaymentCustomerLiability": FactType.OVERPAYMENT,
    "ReminderSent": FactType.REMINDED,
    "Overdue": FactType.OVERDUE,
    "CustomerMessage": FactType.MESSAGE,
    "CreditorMessage": FactType.MESSAGE,
    "Collection": FactType.HANDED_OVER,
    "BillogramEnded": FactType.ENDED,
    "Deleted": FactType.DELETED,
}


def invoice_body(order: InvoiceOrder) -> dict[str, Any]:
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
    total_minor, sums = _minor(billogram.total_sum), billogram.detailed_sums
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
        paid_minor=-_minor(sums.paid_sum + sums.collector_paid_sum),
        remaining_minor=_minor(billogram.remaining_sum),
        fee_minor=_minor(sums.invoice_fee * (1 + sums.invoice_fee_vat / 100)),
        vat_minor=_minor(sums.vat_sum),
        rounding_minor=total_minor - _minor(sums.net_sum) - _minor(sums.vat_sum),
        due_date=billogram.due_date,
        invoice_no=billogram.invoice_no,
        ocr_number=billogram.ocr_number,
        url=billogram.url,
        facts=(*_facts(billogram.id, billogram.events, "billogram read"), *_invoiced(billogram)),
    )


def agrees(invoice: RemoteInvoice, order: InvoiceOrder) -> bool:
    """Whether an invoice found under our key is the one that we ordered."""
    ours = tuple(_remote_row(row) for row in order.rows)
    return (invoice.customer_no, invoice.currency, invoice.rows) == (order.customer_no, order.currency, ours)


def callback_news(body: str) -> CallbackNews | None:
    """What a callback's body tells of an invoice; None for a kind that tells of none. Raises ValidationError."""
    if CallbackKind.model_validate_json(body).callback_type != EVENT_KIND:
        return None
    callback = Callback.model_validate_json(body)
    sums = callback.billogram.detailed_sums
    return CallbackNews(
        billogram_id=callback.billogram.id,
        custom=callback.custom,
        facts=tuple(_facts(callback.billogram.id, [callback.event], "callback")),
        paid_minor=-_minor(sums.paid_sum + sums.collector_paid_sum),
        credited_minor=-_minor(sums.credited_sum),
        at=callback.event.created_at,
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


def _facts(billogram_id: str, events: Iterable[Event], source: str) -> list[Fact]:
    """Equal events without ids are told apart by their place among their like (WEB-5)."""
    seen: Counter[str] = Counter()
    facts = []
    for event in events:
        words = simplejson.dumps(
            [billogram_id, event.type, event.created_at.isoformat(), _canonical(event.data or {})],
            use_decimal=True, sort_keys=True,
        )  # fmt: skip
        facts.append(_fact(event, source, _digest(f"{words}#{seen[words]}")))
        seen[words] += 1
    return facts


def _fact(event: Event, source: str, digest: str) -> Fact:
    data = event.data or {}
    return Fact(
        type=FACT_TYPES.get(event.type, FactType.OTHER),
        at=event.created_at,
        source=source,
        digest=digest,
        event_uuid=event.event_uuid,
        amount_minor=_amount(data.get("amount")),
        detail={"event": event.type} | {name: _plain(value) for name, value in data.items() if value is not None},
    )


def _invoiced(billogram: Billogram) -> list[Fact]:
    """What only the billogram itself tells of its dispatch: the sum as sent, and when it is due."""
    if billogram.attested_at is None or billogram.due_date is None:
        return []
    total = _minor(billogram.total_sum)
    return [
        Fact(
            type=FactType.INVOICED,
            at=max(billogram.attested_at, billogram.updated_at or billogram.attested_at),
            source="billogram read",
            digest=_digest(f"{billogram.id} invoiced {total} {billogram.due_date}"),
            total_minor=total,
            due_date=billogram.due_date,
            detail={"invoice_no": billogram.invoice_no, "ocr_number": billogram.ocr_number},
        )
    ]


def _canonical(value: object) -> object:
    """Numbers by value: 149, 149.0, and 149.00 are the same word; what is null might as well not be there."""
    if isinstance(value, dict):
        return {name: _canonical(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize())
    return value


def _plain(value: object) -> Any:
    """As JSON without floats."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Decimal | float) else value


def _amount(value: object) -> int | None:
    """None for what is no number: an unknown kind of event may mean anything by the word."""
    try:
        return None if value is None else _minor(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _minor(kronor: Decimal) -> int:
    """Whole öre; what lies under one (section 6) is rounded half away from zero."""
    return int((kronor * 100).quantize(Decimal(1), ROUND_HALF_UP))
