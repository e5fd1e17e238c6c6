"""Which bills must be read again, by a line of the platform's invoice list."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from avtal.contracts.bills.bill import BillStatus, platform_key
from avtal.contracts.bills.invoice import ListedInvoice, Stage
from avtal.contracts.bills.reconciliation import KnownBill, disagrees, must_be_read, names_a_bill

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DUE = date(2026, 12, 21)


def known(**fields: Any) -> KnownBill:
    usual: dict[str, Any] = {
        "bill_id": "c-1:0:r0", "status": BillStatus.OPEN, "total_minor": 395_00, "remaining_minor": 395_00,
        "due_date": DUE, "fingerprint": None, "missing_since": None, "known_until": NOON, "has_ended": False,
    }  # fmt: skip
    return KnownBill(**(usual | fields))


def listed(**fields: Any) -> ListedInvoice:
    usual: dict[str, Any] = {
        "billogram_id": "Qm41rTz", "key": "c-1:0:r0", "stage": Stage.OPEN, "total_minor": 395_00,
        "remaining_minor": 395_00, "invoice_date": date(2026, 11, 21), "due_date": DUE, "updated_at": NOON,
        "fingerprint": "same",
    }  # fmt: skip
    return ListedInvoice(**(usual | fields))


PAID = {"status": BillStatus.PAID, "remaining_minor": 0, "has_ended": True}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({}, {"updated_at": NOON - timedelta(days=1)}),
        ({}, {"updated_at": NOON + timedelta(microseconds=999_999)}),
        ({}, {"updated_at": None}),
        (PAID, {"stage": Stage.SETTLED, "remaining_minor": 0}),
        (PAID, {"stage": Stage.ENDED, "remaining_minor": 0}),
        ({"status": BillStatus.DRAFT, "due_date": None}, {"stage": Stage.DRAFT}),
        ({"status": BillStatus.PARKED}, {}),
        ({"fingerprint": "same"}, {"remaining_minor": 455_00, "due_date": None, "updated_at": NOON + timedelta(1)}),
        ({"status": BillStatus.CREATING}, {"stage": Stage.SETTLED}),
    ],
)
def test_an_invoice_that_agrees_or_is_unchanged_is_not_read(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert not must_be_read(known(**ours), listed(**theirs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (PAID | {"fingerprint": "same"}, {"remaining_minor": 60_00}),
        ({}, {"stage": Stage.SETTLED, "remaining_minor": 0}),
        ({}, {"stage": Stage.ENDED, "remaining_minor": 0}),
        ({}, {"stage": Stage.DRAFT}),
        ({"status": BillStatus.DRAFT}, {}),
        (PAID, {}),
        (PAID | {"has_ended": False}, {"stage": Stage.SETTLED, "remaining_minor": 0}),
        ({"status": BillStatus.EXPIRED}, {}),
        ({}, {"remaining_minor": 300_00}),
        ({}, {"remaining_minor": 455_00}),
        ({}, {"total_minor": 400_00}),
        ({}, {"due_date": date(2027, 1, 21)}),
        ({}, {"updated_at": NOON + timedelta(seconds=1)}),
        ({"known_until": None}, {}),
    ],
)
def test_an_invoice_that_contradicts_the_bill_or_is_newer_is_read(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert must_be_read(known(**ours), listed(**theirs))


def test_a_missed_status_is_a_disagreement_and_a_sum_is_not() -> None:
    assert disagrees(known(), listed(stage=Stage.SETTLED))
    assert not disagrees(known(), listed(remaining_minor=1))
    assert not disagrees(known(status=BillStatus.CREATING), listed(stage=Stage.SETTLED))


@pytest.mark.parametrize("key", ["c-1:0:r0", platform_key("x" * 60 + ":3:r1")])
def test_our_platform_keys_are_recognized_by_form(key: str) -> None:
    assert names_a_bill(key)


@pytest.mark.parametrize("key", [None, "", "order 4711", "c-1", "a~b"])
def test_foreign_keys_are_not_ours(key: str | None) -> None:
    assert not names_a_bill(key)
