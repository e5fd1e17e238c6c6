"""Translates Billogram's events into facts, with a digest by which an event without an id is recognized.

Billogram's `Writeoff` waives fees; it is not a loss, and becomes `fees_waived`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import simplejson

from avtal.billogram.shapes import RECALL_KIND, Event
from avtal.contracts.bills.bill import Fact, FactType

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
    RECALL_KIND: FactType.PAYMENT_REVERSED,
    "Credit": FactType.CREDIT,
    "ConfirmedLoss": FactType.LOSS,
    "Writeoff": FactType.FEES_WAIVED,
    "Writedown": FactType.DOUBTFUL,
    "RevertWritedown": FactType.DOUBTFUL_REVERTED,
    "OverpaymentAdjustment": FactType.OVERPAYMENT,
    "OverpaymentCustomerLiability": FactType.OVERPAYMENT,
    "ReminderSent": FactType.REMINDED,
    "Overdue": FactType.OVERDUE,
    "InterestStarted": FactType.INTEREST_STARTED,
    "CustomerMessage": FactType.MESSAGE,
    "CreditorMessage": FactType.MESSAGE,
    "Respite": FactType.DUE_DATE_MOVED,
    "RespiteRemoved": FactType.DUE_DATE_MOVED,
    "Collection": FactType.HANDED_OVER,
    "CollectionEnded": FactType.HANDOVER_ENDED,
    "CollectionCancelled": FactType.HANDOVER_ENDED,
    "BillogramSold": FactType.CLAIM_SOLD,
    "FactoringDenied": FactType.CLAIM_RETURNED,
    "BillogramEnded": FactType.ENDED,
    "Deleted": FactType.DELETED,
}


def event_facts(billogram_id: str, events: Iterable[Event], source: str) -> list[Fact]:
    """Equal events without ids are distinguished by their number among equal ones (WEB-5)."""
    seen: Counter[str] = Counter()
    facts = []
    for event in events:
        canonical = simplejson.dumps(
            [billogram_id, event.type, event.created_at.isoformat(), _canonical(event.data or {})],
            use_decimal=True, sort_keys=True,
        )  # fmt: skip
        facts.append(_fact(event, source, digest_of(f"{canonical}#{seen[canonical]}")))
        seen[canonical] += 1
    return facts


def _fact(event: Event, source: str, digest: str) -> Fact:
    data = event.data or {}
    return Fact(
        type=FACT_TYPES.get(event.type, FactType.OTHER),
        at=event.created_at,
        source=source,
        digest=digest,
        event_uuid=event.event_uuid,
        amount_minor=_amount_of(event.type, data),
        due_date=_due_date(data.get("date")) if event.type == "Respite" else None,
        detail={"event": event.type} | {name: _plain(value) for name, value in data.items() if value is not None},
    )


def _canonical(value: object) -> object:
    """Equal numbers become equal: 149, 149.0, and 149.00. Nulls are omitted."""
    if isinstance(value, dict):
        return {name: _canonical(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize())
    return value


def _plain(value: object) -> Any:
    """JSON without floats."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Decimal | float) else value


def _amount_of(kind: str, data: dict[str, Any]) -> int | None:
    """A recall has its amount in another field, with either sign."""
    if kind != RECALL_KIND:
        return _amount(data.get("amount"))
    amount = _amount(data.get("recalled_amount"))
    return None if amount is None else abs(amount)


def _due_date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _amount(value: object) -> int | None:
    """None if it is not a number: in an unknown event, the field may mean anything."""
    try:
        return None if value is None else minor(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return None


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def minor(kronor: Decimal) -> int:
    """Whole öre, rounded half away from zero."""
    return int((kronor * 100).quantize(Decimal(1), ROUND_HALF_UP))
