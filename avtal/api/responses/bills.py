"""Builds the response bodies of a bill from its row and its facts."""

from collections.abc import Iterable

from pydantic import JsonValue

from avtal.api.responses.bodies import BillResponse, BillWithHistory, HistoryEntry, ParkedResponse
from avtal.contracts.access.access import grace_ends
from avtal.contracts.bills.bill import PARKED_TEXTS, BillStatus, Fact, ParkedReason, status_text
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.money import Currency, Money
from avtal.contracts.periods import Period
from avtal.store.queries.bills import StoredBill


def bill_response(bill: StoredBill) -> BillResponse:
    return BillResponse(
        bill_id=bill.bill_id,
        contract_id=bill.contract_id,
        period=Period(number=bill.period_no, start=bill.period_start, end=bill.period_end),
        status=bill.status,
        status_text=_status_text(bill),
        delivery_method=DeliveryMethod(bill.delivery_method) if bill.delivery_method else None,
        billogram_id=bill.billogram_id,
        invoice_no=bill.invoice_no,
        ocr_number=bill.ocr_number,
        invoice_url=bill.invoice_url,
        agreed_total=_amount(bill, bill.agreed_total_minor),
        total=_amount(bill, bill.total_minor),
        vat=_amount(bill, bill.vat_minor),
        rounding=_amount(bill, bill.rounding_minor),
        remaining=_amount(bill, bill.remaining_minor),
        currency=bill.currency,
        due_date=bill.due_date,
        grace_ends=grace_ends(bill),
        policy_version=bill.policy_version,
        parked=parked_response(bill),
    )


def bill_with_history(bill: StoredBill, facts: Iterable[Fact]) -> BillWithHistory:
    return BillWithHistory(**dict(bill_response(bill)), history=[_entry(bill, fact) for fact in facts])


def parked_response(bill: StoredBill) -> ParkedResponse | None:
    if bill.status is not BillStatus.PARKED or bill.parked_reason is None:
        return None
    return ParkedResponse(
        bill_id=bill.bill_id, reason=bill.parked_reason, detail=_parked_detail(bill, bill.parked_reason)
    )


def _parked_detail(bill: StoredBill, reason: ParkedReason) -> str:
    """Our text, then Billogram's: the field and its message."""
    from_billogram = ": ".join(part for part in (bill.parked_field, bill.provider_message) if part)
    return f"{PARKED_TEXTS[reason]} (Billogram: {from_billogram})" if from_billogram else PARKED_TEXTS[reason]


def _status_text(bill: StoredBill) -> str:
    if bill.status is BillStatus.CREATING and bill.provider_message:
        return f"being made; the last request to Billogram failed ({bill.provider_message})"
    return status_text(bill.status, bill.total_minor)


def _entry(bill: StoredBill, fact: Fact) -> HistoryEntry:
    detail: dict[str, JsonValue] = dict(fact.detail)
    if fact.amount_minor is not None:
        detail["amount"] = _amount(bill, fact.amount_minor)
    if fact.total_minor is not None:
        detail["total"] = _amount(bill, fact.total_minor)
    if fact.due_date is not None:
        detail["due_date"] = fact.due_date.isoformat()
    return HistoryEntry(at=fact.at, type=fact.type, source=fact.source, detail=detail)


def _amount(bill: StoredBill, minor: int) -> str:
    return Money(minor=minor, currency=Currency(bill.currency)).text
