"""The data of events: the state that the API shows, without personal data."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, ParkedReason
from avtal.contracts.events.payloads import PublishedBill, bill_payload, contract_payload
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractStatus
from avtal.contracts.money import Currency
from avtal.contracts.schedule import Ending, EndReason

SINCE = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def bill(**changes: Any) -> PublishedBill:
    published = PublishedBill(
        contract_id="c-1", bill_id="c-1:0:r0", period_no=0, period_start=date(2026, 11, 21),
        period_end=date(2026, 12, 21), status=BillStatus.OPEN, parked_reason=None, delivery_method="Email",
        billogram_id="Xk29fPw", invoice_no=17, currency=Currency.SEK, total_minor=395_00, vat_minor=79_00,
        remaining_minor=300_00, due_date=date(2026, 12, 21), grace_days=None, reopened_on=None,
    )  # fmt: skip
    return published.model_copy(update=changes)


def contract(**changes: Any) -> ContractSnapshot:
    active = ContractSnapshot(status=ContractStatus.ACTIVE, access=Access.ON, reason=AccessReason.ACTIVE, since=SINCE)
    return active.model_copy(update=changes)


def test_bill_is_published_with_amounts_as_decimals_and_dates_as_text() -> None:
    assert bill_payload(bill()) == {
        "contract_id": "c-1",
        "bill_id": "c-1:0:r0",
        "period": {"number": 0, "start": "2026-11-21", "end": "2026-12-21"},
        "status": "open",
        "status_text": "open",
        "delivery_method": "Email",
        "billogram_id": "Xk29fPw",
        "invoice_no": 17,
        "total": "395.00",
        "vat": "79.00",
        "remaining": "300.00",
        "currency": "SEK",
        "due_date": "2026-12-21",
        "grace_ends": None,
        "parked": None,
    }


def test_grace_ends_so_many_days_after_the_due_date() -> None:
    assert bill_payload(bill(grace_days=10))["grace_ends"] == "2026-12-31"


def test_parked_bill_is_published_with_its_reason_and_what_to_do() -> None:
    parked = bill_payload(bill(status=BillStatus.PARKED, parked_reason=ParkedReason.UNDELIVERABLE))["parked"]

    assert isinstance(parked, dict)
    assert parked["reason"] == "undeliverable"
    assert "then retry" in str(parked["detail"])


@pytest.mark.parametrize("status", [BillStatus.PAID, BillStatus.VOID])
def test_last_parked_reason_is_not_published_of_a_bill_in_another_status(status: BillStatus) -> None:
    assert bill_payload(bill(status=status, parked_reason=ParkedReason.REFUSED))["parked"] is None


def test_contract_is_published_with_the_first_day_without_access() -> None:
    ending = Ending(on=date(2026, 12, 21), at=SINCE, reason=EndReason.CANCELLED)

    assert contract_payload("c-1", contract(status=ContractStatus.CANCELLING, ending=ending)) == {
        "contract_id": "c-1",
        "status": "cancelling",
        "access": "on",
        "reason": "active",
        "since": "2026-11-21T12:00:00Z",
        "ends_on": "2026-12-21",
    }
    assert contract_payload("c-1", contract())["ends_on"] is None
