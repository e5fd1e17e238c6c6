"""The `data` of events: the bill or the contract as the API would show it, as far as it is in the row.

It holds nothing about the subscriber: no name, no address, no message of the platform, and no link to the invoice.
"""

from datetime import date

from pydantic import JsonValue

from avtal.contracts.access.access import grace_ends
from avtal.contracts.bills.bill import PARKED_TEXTS, BillStatus, ParkedReason, status_text
from avtal.contracts.events.events import instant_text
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractSnapshot
from avtal.contracts.money import Currency, Money

Payload = dict[str, JsonValue]


class PublishedBill(Frozen):
    """What events publish of a bill. Amounts are minor units."""

    contract_id: str
    bill_id: str
    period_no: int
    period_start: date
    period_end: date
    status: BillStatus
    parked_reason: ParkedReason | None
    delivery_method: str | None
    billogram_id: str | None
    invoice_no: int | None
    currency: Currency
    total_minor: int
    vat_minor: int
    remaining_minor: int
    due_date: date | None
    grace_days: int | None
    reopened_on: date | None


def bill_payload(bill: PublishedBill) -> Payload:
    last_day = grace_ends(bill)
    return {
        "contract_id": bill.contract_id,
        "bill_id": bill.bill_id,
        "period": {
            "number": bill.period_no,
            "start": bill.period_start.isoformat(),
            "end": bill.period_end.isoformat(),
        },
        "status": str(bill.status),
        "status_text": status_text(bill.status, bill.total_minor),
        "delivery_method": bill.delivery_method,
        "billogram_id": bill.billogram_id,
        "invoice_no": bill.invoice_no,
        "total": _amount(bill.total_minor, bill.currency),
        "vat": _amount(bill.vat_minor, bill.currency),
        "remaining": _amount(bill.remaining_minor, bill.currency),
        "currency": str(bill.currency),
        "due_date": bill.due_date.isoformat() if bill.due_date else None,
        "grace_ends": last_day.isoformat() if last_day else None,
        "parked": _parked(bill),
    }


def contract_payload(contract_id: str, contract: ContractSnapshot) -> Payload:
    return {
        "contract_id": contract_id,
        "status": str(contract.status),
        "access": str(contract.access),
        "reason": str(contract.reason),
        "since": instant_text(contract.since),
        "ends_on": contract.ending.on.isoformat() if contract.ending else None,
    }


def _amount(minor: int, currency: Currency) -> str:
    return Money(minor=minor, currency=currency).text


def _parked(bill: PublishedBill) -> Payload | None:
    """A bill that is no longer parked may keep its last reason."""
    if bill.status is not BillStatus.PARKED or bill.parked_reason is None:
        return None
    return {"reason": str(bill.parked_reason), "detail": PARKED_TEXTS[bill.parked_reason]}
