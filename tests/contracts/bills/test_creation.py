"""What a bill consists of, and how its creation starts."""

from decimal import Decimal
from typing import Any

import pytest

from avtal.contracts.bills.bill import Parked, ParkedReason
from avtal.contracts.bills.creation import (
    CreationStart,
    Terms,
    bill_content,
    creation_start,
    is_expected_total,
    terms_in_force,
)
from avtal.contracts.bills.invoice import RemoteInvoice, Subscriber
from avtal.contracts.delivery import Address, DeliveryMethod
from avtal.contracts.money import Line
from avtal.contracts.policy import Policy

TOTAL = 395_00
LINE = Line(title="Global", quantity=1, unit_price_minor=395_00, vat_rate=Decimal(25))
ADDRESS = Address(street="Storgatan 1", zipcode="111 22", city="Stockholm")


def terms(**changes: Any) -> Terms:
    first = Terms(version=1, first_period=0, lines=(LINE,), delivery_method=None, edi_number=None, policy_override={})
    return first.model_copy(update=changes)


def subscriber(**fields: Any) -> Subscriber:
    return Subscriber.model_validate({"subscriber_id": "s-1", "name": "Anna Lundberg", **fields})


def start(total_minor: int = TOTAL, **fields: Any) -> CreationStart:
    return creation_start(total_minor, terms(), subscriber(**fields), Policy())


def invoice(total_minor: int, fee_minor: int = 0) -> RemoteInvoice:
    return RemoteInvoice(
        billogram_id="Xk29fPw", key=None, customer_no=1, currency="SEK", rows=(), is_draft=False,
        total_minor=total_minor, paid_minor=0, remaining_minor=total_minor, fee_minor=fee_minor, vat_minor=0,
        rounding_minor=0, due_date=None, invoice_no=None, ocr_number=None, url=None, facts=(),
    )  # fmt: skip


def test_free_bill_needs_no_invoice_and_no_delivery_method() -> None:
    assert start(total_minor=0) == CreationStart(is_free=True)


def test_bill_without_a_usable_delivery_method_is_parked() -> None:
    unreachable = CreationStart(parked=Parked(reason=ParkedReason.UNDELIVERABLE))

    assert start() == unreachable
    assert start(email="anna@sesa.my") == unreachable


def test_subscriber_with_email_gets_the_default_method() -> None:
    assert start(email="anna@example.com", address=ADDRESS) == CreationStart(delivery_method=DeliveryMethod.EMAIL)


@pytest.mark.parametrize(
    ("of_contract", "of_subscriber", "used"), [(None, "7300", "7300"), ("7311", None, "7311"), ("7311", "7300", "7311")]
)
def test_edi_number_of_the_contract_precedes_the_subscribers(
    of_contract: str | None, of_subscriber: str | None, used: str
) -> None:
    found = creation_start(TOTAL, terms(edi_number=of_contract), subscriber(edi_number=of_subscriber), Policy())

    assert found == CreationStart(delivery_method=DeliveryMethod.EDI, edi_number=used)


def test_invoice_by_another_method_has_no_edi_number() -> None:
    by_letter = terms(delivery_method=DeliveryMethod.LETTER, edi_number="7311")

    assert creation_start(TOTAL, by_letter, subscriber(address=ADDRESS), Policy()) == CreationStart(
        delivery_method=DeliveryMethod.LETTER
    )


def test_lines_hold_from_their_period_and_all_other_terms_immediately() -> None:
    renamed = LINE.model_copy(update={"title": "Local"})
    versions = [terms(), terms(version=2, first_period=3, lines=(renamed,), delivery_method=DeliveryMethod.LETTER)]
    before, after = terms_in_force(versions, 2), terms_in_force(versions, 3)

    assert (before.lines, after.lines) == ((LINE,), (renamed,))
    assert before.delivery_method is after.delivery_method is DeliveryMethod.LETTER


def test_total_is_the_agreed_one_rounded_to_the_krona() -> None:
    line = LINE.model_copy(update={"unit_price_minor": 99_90})
    content = bill_content((line,), prices_include_vat=True)

    assert (content.agreed_total_minor, content.total_minor, content.vat_minor) == (99_90, 100_00, 19_98)
    assert sum(row.net_minor for row in content.rows) + content.vat_minor + content.rounding_minor == 100_00


@pytest.mark.parametrize(
    ("total_minor", "fee_minor", "expected"),
    [
        (TOTAL, 0, True),
        (TOTAL + 1, 0, False),
        (TOTAL - 1, 0, False),
        (TOTAL + 29_00, 29_00, True),
        (TOTAL + 29_50, 29_00, True),
        (TOTAL + 30_00, 29_00, False),
    ],
)
def test_only_the_platforms_fee_may_differ_from_the_total(total_minor: int, fee_minor: int, expected: bool) -> None:
    assert is_expected_total(invoice(total_minor, fee_minor), TOTAL) is expected
