"""Money, and the rule that Billogram's total is the agreed sum rounded to the krona, for any lines."""

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from avtal.contracts.money import (
    Currency,
    CurrencyMismatch,
    Line,
    Money,
    Row,
    Totals,
    agreed_total,
    agreed_total_minor,
    rows_for,
    totals,
)

SWEDISH_RATES = tuple(Decimal(rate) for rate in (0, 6, 12, 25))
ANY_RATES = tuple(Decimal(hundredths).scaleb(-2) for hundredths in range(10_001))
EDGES = (0, 1, 49, 50, 51, 99)  # öre of an agreed sum at which rounding changes

Priced = tuple[int, int, Decimal]  # quantity, unit price in öre, VAT rate

rates = st.sampled_from(SWEDISH_RATES) | st.sampled_from(ANY_RATES)
prices = st.integers(-10_000_000, 100_000_000) | st.integers(-300, 300)
bills = st.lists(st.tuples(st.integers(1, 10_000), prices, rates), min_size=1, max_size=50)


def make_line(quantity: int = 1, unit_price_minor: int = 395_00, vat_rate: str | Decimal = "25") -> Line:
    return Line(title="x", quantity=quantity, unit_price_minor=unit_price_minor, vat_rate=Decimal(vat_rate))


def make_row(count: int = 1, price_minor: int = 100_00, discount_minor: int = 0, vat_rate: str = "25") -> Row:
    rate = Decimal(vat_rate)
    return Row(title="x", count=count, price_minor=price_minor, discount_minor=discount_minor, vat_rate=rate)


def billogram_krona(rows: Sequence[Row]) -> Decimal:
    """Billogram's total, computed a second time, in Decimals, by its documentation alone."""
    gross = Decimal(0)
    for row in rows:
        net = row.count * Decimal(row.price_minor) / 100 - Decimal(row.discount_minor) / 100
        gross += net + net * row.vat_rate / 100
    return nearest_krona(gross)


def nearest_krona(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), "ROUND_HALF_UP")


def assert_agrees(bill: Sequence[Priced], prices_include_vat: bool = True) -> None:
    lines = [make_line(*priced) for priced in bill]
    rows = rows_for(lines, prices_include_vat)
    found = totals(rows)

    assert Decimal(found.total_minor) / 100 == billogram_krona(rows)
    assert billogram_krona(rows) == nearest_krona(agreed_total(lines, prices_include_vat))
    assert found.net_minor + found.vat_minor + found.rounding_minor == found.total_minor
    assert min(row.discount_minor for row in rows) >= 0


def assert_rows_follow_lines(bill: Sequence[Priced]) -> None:
    """The rows together differ from the bill by less than 2 öre, each row from its line by less than 4."""
    lines = [make_line(*priced) for priced in bill]
    rows = rows_for(lines, prices_include_vat=True)

    assert abs(totals(rows).gross - agreed_total(lines, prices_include_vat=True)) < Decimal("0.02")
    for line, row in zip(lines, rows, strict=True):
        wanted = line.quantity * line.unit_price_minor
        gross = row.net_minor * (100 + row.vat_rate) / 100

        assert abs(gross - wanted) < 4
        assert gross * wanted >= 0
        assert wanted or row.net_minor == row.price_minor == 0
        assert row.discount_minor < row.count


def with_sum_ending(bill: Sequence[Priced], ending: int) -> list[Priced]:
    """The same bill, with a first line priced so that the öre of the sum are `ending`."""
    (_, price, rate), *rest = bill
    agreed = price + sum(quantity * price for quantity, price, _ in rest)
    return [(1, price + (ending - agreed) % 100, rate), *rest]


@settings(max_examples=3000, deadline=None, derandomize=True)
@given(bill=bills, ending=st.none() | st.sampled_from(EDGES))
def test_the_total_is_the_agreed_sum_rounded_to_the_krona(bill: list[Priced], ending: int | None) -> None:
    """Also for negative sums, though no such bill is sent."""
    whole = bill if ending is None else with_sum_ending(bill, ending)

    assert_agrees(whole)
    assert_rows_follow_lines(whole)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(bill=bills)
def test_prices_without_vat_are_sent_unchanged(bill: list[Priced]) -> None:
    lines = [make_line(*priced) for priced in bill]
    rows = rows_for(lines, prices_include_vat=False)

    assert_agrees(bill, prices_include_vat=False)
    assert [(row.count, row.price_minor, row.discount_minor) for row in rows] == [(q, p, 0) for q, p, _ in bill]
    assert agreed_total(lines, prices_include_vat=False) == totals(rows).gross


@pytest.mark.parametrize("rates", [SWEDISH_RATES, ANY_RATES], ids=["Swedish rates", "any rates"])
def test_twenty_thousand_ordinary_bills_total_the_agreed_sum(rates: tuple[Decimal, ...]) -> None:
    chance = random.Random(20_000)  # a fixed seed, for the same bills every time

    for number in range(20_000):
        size = 50 if number % 1000 == 0 else chance.randint(1, 5)
        bill = [
            (chance.choice((1, 1, 2, 3, 12, 9_999)), chance.randint(-5_000, 100_000), chance.choice(rates))
            for _ in range(size)
        ]
        assert_agrees(with_sum_ending(bill, chance.choice(EDGES)) if number % 2 else bill)


@pytest.mark.parametrize(
    ("price", "net_alone", "missed", "total"), [(1_51, 1_42, 75_00, 76_00), (1_24, 1_16, 61_00, 62_00)]
)
def test_rows_rounded_one_by_one_would_miss_the_krona(price: int, net_alone: int, missed: int, total: int) -> None:
    """Fifty lines at 6 %: 75.50 in nearest nets is 75.26, and 62.00 in nets rounded down is 61.48."""
    lines = [make_line(unit_price_minor=price, vat_rate="6")] * 50

    assert totals([make_row(price_minor=net_alone, vat_rate="6")] * 50).total_minor == missed
    assert totals(rows_for(lines, prices_include_vat=True)).total_minor == total


def test_a_price_without_an_exact_net_gets_a_discount() -> None:
    """3 × 49.90 at 6 % is 149.70. Its net of 141.226… is sent as 3 × 47.08 less 0.01."""
    (row,) = rows_for([make_line(quantity=3, unit_price_minor=49_90, vat_rate="6")], prices_include_vat=True)

    assert (row.count, row.price_minor, row.discount_minor) == (3, 47_08, 1)
    assert totals([row]).gross == Decimal("149.7038")
    assert totals([row]).total_minor == 150_00


def test_a_price_with_an_exact_net_gets_no_discount() -> None:
    (row,) = rows_for([make_line(quantity=2, unit_price_minor=395_00)], prices_include_vat=True)

    assert (row.count, row.price_minor, row.discount_minor) == (2, 316_00, 0)
    assert totals([row]).total_minor == 790_00


def test_a_discount_line_has_a_negative_price_not_a_negative_discount() -> None:
    lines = [make_line(), make_line(quantity=3, unit_price_minor=-49_90, vat_rate="6")]
    discount = rows_for(lines, prices_include_vat=True)[1]

    assert (discount.count, discount.price_minor, discount.discount_minor) == (3, -47_07, 2)
    assert totals(rows_for(lines, prices_include_vat=True)).total_minor == 245_00


def test_a_sum_below_half_a_krona_totals_zero() -> None:
    lines = [make_line(unit_price_minor=49)]

    assert agreed_total_minor(lines, prices_include_vat=True) == 49
    assert totals(rows_for(lines, prices_include_vat=True)).total_minor == 0
    assert totals(()).total_minor == agreed_total_minor((), prices_include_vat=True) == 0


def test_an_agreed_sum_is_compared_exactly_and_shown_rounded() -> None:
    """0.47 net at 6.35 % is 0.499845: shown as 0.50, and below half a krona."""
    lines = [make_line(unit_price_minor=47, vat_rate="6.35")]

    assert agreed_total(lines, prices_include_vat=False) == Decimal("0.499845")
    assert agreed_total_minor(lines, prices_include_vat=False) == 50
    assert totals(rows_for(lines, prices_include_vat=False)).total_minor == 0


@pytest.mark.parametrize(
    ("rows", "net", "vat", "gross", "total", "rounding"),
    [
        ([make_row(5, 12_00, 0, "12")], "60", "7.2", "67.2", 67_00, -20),
        ([make_row(5, 12_00, 0, "12"), make_row(2, 12_00, 1_00)], "83", "12.95", "95.95", 96_00, 5),
        ([make_row(2, 12_00, 1_00, "12")], "23", "2.76", "25.76", 26_00, 24),
        ([make_row(1, 300_00), make_row(1, 29_00)], "329", "82.25", "411.25", 411_00, -25),
        ([make_row(2, 130_00)], "260", "65", "325", 325_00, 0),
    ],
)
def test_totals_equal_billograms_recorded_totals(
    rows: list[Row], net: str, vat: str, gross: str, total: int, rounding: int
) -> None:
    """Five recorded invoices. The invoice fee of the fourth is a row of its own here."""
    found = totals(rows)

    assert (found.net, found.vat, found.gross) == (Decimal(net), Decimal(vat), Decimal(gross))
    assert (found.total_minor, found.rounding_minor) == (total, rounding)


@pytest.mark.parametrize(("price", "total"), [(49, 0), (50, 1_00), (1_50, 2_00), (-50, -1_00), (-49, 0)])
def test_half_a_krona_rounds_away_from_zero(price: int, total: int) -> None:
    assert totals([make_row(price_minor=price, vat_rate="0")]).total_minor == total


def test_net_vat_and_rounding_add_up_to_the_total() -> None:
    found = totals(rows_for([make_line(quantity=7, unit_price_minor=49_90, vat_rate="6")], True))
    shown = (found.net_minor, found.vat_minor, found.rounding_minor, found.total_minor)

    assert shown == (329_52, 19_77, -29, 349_00)


@pytest.mark.parametrize(
    ("text", "minor"), [("395.00", 395_00), ("395", 395_00), ("0.5", 50), ("-0.50", -50), ("-0", 0)]
)
def test_an_amount_is_parsed_exactly(text: str, minor: int) -> None:
    for amount in (text, Decimal(text), Decimal(text + "0" * ("." in text))):
        assert Money.parse(amount, Currency.SEK).minor == minor


@pytest.mark.parametrize(
    "amount",
    [
        "395,00",
        "395.000",
        "1 000",
        "+1",
        " 1",
        "1e3",
        "",
        "-",
        ".50",
        "1.",
        "NaN",
        "٣",
        "1" * 14,
        0.5,
        1,
        None,
    ]
    + [Decimal(text) for text in ("0.001", "1." + "0" * 40 + "1", "NaN", "sNaN", "-Infinity", "1e999999")],
)
def test_a_malformed_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"not an amount with at most two decimals"):
        Money.parse(amount, Currency.SEK)


@pytest.mark.parametrize(
    ("minor", "text"), [(395_00, "395.00"), (-50, "-0.50"), (-1_05, "-1.05"), (0, "0.00"), (7, "0.07")]
)
def test_an_amount_is_formatted_as_it_is_parsed(minor: int, text: str) -> None:
    money = Money(minor=minor, currency=Currency.NOK)

    assert money.text == text
    assert str(money.decimal) == text
    assert Money.parse(text, Currency.NOK) == money
    assert Money.model_validate_json(money.model_dump_json()) == money


def test_amounts_of_one_currency_add_and_compare() -> None:
    less, more = (Money(minor=minor, currency=Currency.SEK) for minor in (100, 250))

    assert ((less + more).minor, (less - more).minor) == (350, -150)
    assert less < more >= less
    assert max(less, more) == more


def test_currencies_never_mix() -> None:
    kronor, kroner = (Money(minor=100, currency=currency) for currency in Currency)

    assert kronor != kroner
    with pytest.raises(CurrencyMismatch, match="SEK and NOK"):
        kronor + kroner
    with pytest.raises(CurrencyMismatch):
        kronor - kroner
    with pytest.raises(CurrencyMismatch):
        assert kronor < kroner
    with pytest.raises(CurrencyMismatch):
        assert kronor >= kroner


@pytest.mark.parametrize(
    "wrong",
    [{"quantity": 0}, {"quantity": 1.0}, {"unit_price_minor": 395.0}]
    + [{"vat_rate": rate} for rate in (6.25, "6.255", "-1", "100.01")],
)
def test_a_line_refuses_floats_and_values_out_of_bounds(wrong: dict[str, object]) -> None:
    line = make_line().model_dump()

    assert Line.model_validate(line) == make_line()
    with pytest.raises(ValidationError):
        Line.model_validate({**line, **wrong})


def test_totals_are_serialised_exactly() -> None:
    found = totals(rows_for([make_line(quantity=3, unit_price_minor=49_90, vat_rate="6.25")], True))

    assert Totals.model_validate_json(found.model_dump_json()) == found
