"""The sums of a billogram."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billogram_sandbox.core.documents import dump
from billogram_sandbox.rules.money import sums_of
from billogram_sandbox_tests.client import Client, Json, row

RECORDED = [
    ([(5, 12, 0, 12)], 0, "60 7.2 67.2 -0.2 67"),
    ([(5, 12, 0, 12), (2, 12, 1, 25)], 0, "83 12.95 95.95 0.05 96"),
    ([(2, 12, 1, 12)], 0, "23 2.76 25.76 0.24 26"),
    ([(1, 300, 0, 25)], 29, "329 82.25 411.25 -0.25 411"),
    ([(2, 130, 0, 25)], 0, "260 65 325 0 325"),
]


@pytest.mark.parametrize(("rows", "fee", "expected"), RECORDED)
async def test_sums_match_recorded_billograms(
    client: Client, rows: list[tuple[int, int, int, int]], fee: int, expected: str
) -> None:
    billogram = await client.draft(items=[row(*each) for each in rows], invoice_fee=fee)

    detailed = billogram["detailed_sums"]
    shown = [detailed[key] for key in ("net_sum", "vat_sum", "gross_sum", "rounding")] + [billogram["total_sum"]]
    assert " ".join(str(each) for each in shown) == expected
    assert billogram["rounding_value"] == detailed["rounding"]
    assert billogram["remaining_sum"] == detailed["remaining_sum"] == billogram["total_sum"]


@pytest.mark.parametrize(
    ("price", "currency", "total"),
    [("0.5", "SEK", 1), ("1.5", "NOK", 2), ("2.5", "SEK", 3), ("2.49", "SEK", 2), ("2.495", "EUR", "2.50")],
)
def test_halves_round_away_from_zero(price: str, currency: str, total: str) -> None:
    assert sums_of([_priced(price)], currency)["total"] == Decimal(total)


def test_rounding_happens_once_on_the_exact_sum() -> None:
    """Three rows of 0.333 are 0.999, not three times 0.33."""
    result = sums_of([_priced("0.333")] * 3, "EUR")

    assert result["net_sum"] == result["total"] == 1


@given(st.lists(st.tuples(st.decimals(0, 10**6, places=2), st.sampled_from([0, 6, 12, 25])), min_size=1, max_size=9))
def test_total_is_whole_kronor_with_its_rounding(rows: list[tuple[Decimal, int]]) -> None:
    result = sums_of([_priced(price, vat) for price, vat in rows], "SEK")

    assert result["total"] == int(result["total"])
    assert abs(result["rounding"]) <= Decimal("0.5")
    assert abs(result["gross_sum"] + result["rounding"] - result["total"]) <= Decimal("0.01")


@given(st.decimals(-(10**12), 10**12, places=2))
def test_amounts_are_written_as_exact_numbers(amount: Decimal) -> None:
    written = dump(amount)

    assert Decimal(written) == amount
    assert "e" not in written
    assert not written.endswith(".0")


def _priced(price: str | Decimal, vat: int = 0) -> Json:
    return row(Decimal(1), Decimal(price), Decimal(0), Decimal(vat))
