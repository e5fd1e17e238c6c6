"""Whether an invoice found under our key agrees with the request."""

import random
from decimal import Decimal

import pytest

from avtal.billogram.client import BillogramClient
from avtal.billogram.translate import agrees, invoice_body, remote_invoice
from avtal.contracts.bills.invoice import InvoiceRequest
from avtal.contracts.money import Line, Row, rows_for, totals
from tests.billogram.builders import Platform, make_request, make_row

REQUESTS = 60
RATES = ("0", "6", "12", "25", "12.5", "24.99")


def random_lines(chance: random.Random) -> list[Line]:
    """One to six lines, some negative, with a positive total."""
    dear = Line(title="Årsprenumeration “Stor”", quantity=1, unit_price_minor=9_000_00, vat_rate=Decimal(6))
    return [dear] + [
        Line(
            title=f"Rad {number}",
            quantity=chance.choice([1, 1, 2, 3, 7, 12]),
            unit_price_minor=chance.choice([0, 1, 99, chance.randrange(100_00), -chance.randrange(100_00)]),
            vat_rate=Decimal(chance.choice(RATES)),
        )
        for number in range(chance.randrange(6))
    ]


async def echoed(client: BillogramClient, request: InvoiceRequest) -> bool:
    made = remote_invoice(await client.create(invoice_body(request)))
    read = remote_invoice(await client.get(made.billogram_id))
    sums = totals(request.rows)

    assert (made.total_minor, made.vat_minor, made.rounding_minor) == (
        sums.total_minor,
        sums.vat_minor,
        sums.rounding_minor,
    )
    return agrees(made, request) and agrees(read, request)


async def test_a_created_invoice_agrees_with_its_request_for_any_rows(platform: Platform) -> None:
    chance = random.Random(20261121)
    await platform.customer()
    for number in range(REQUESTS):
        rows: tuple[Row, ...] = rows_for(random_lines(chance), prices_include_vat=chance.random() < 0.8)
        currency = chance.choice(["SEK", "NOK"])
        assert await echoed(platform.client, make_request(key=f"c-{number}:0:r0", currency=currency, rows=rows))


async def test_a_row_at_6_percent_with_a_discount_agrees(platform: Platform) -> None:
    await platform.customer()
    row = make_row(count=3, price_minor=46_86, discount_minor=1, vat_rate=Decimal("6.00"))

    assert await echoed(platform.client, make_request(rows=(row,)))


@pytest.mark.parametrize(
    "changed",
    [
        {"customer_no": 2},
        {"currency": "NOK"},
        {"rows": ()},
        {"rows": (make_row(), make_row())},
        {"rows": (make_row(title="Global Small"),)},
        {"rows": (make_row(count=2),)},
        {"rows": (make_row(price_minor=316_01),)},
        {"rows": (make_row(discount_minor=1),)},
        {"rows": (make_row(vat_rate=Decimal(6)),)},
    ],
    ids=str,
)
async def test_another_customer_currency_or_row_does_not_agree(platform: Platform, changed: dict[str, object]) -> None:
    await platform.customer()
    made = remote_invoice(await platform.client.create(invoice_body(make_request())))

    assert agrees(made, make_request())
    assert not agrees(made, make_request(**changed))


async def test_rows_in_another_order_do_not_agree(platform: Platform) -> None:
    await platform.customer()
    rows = (make_row(title="A"), make_row(title="B"))
    made = remote_invoice(await platform.client.create(invoice_body(make_request(rows=rows))))

    assert not agrees(made, make_request(rows=rows[::-1]))
