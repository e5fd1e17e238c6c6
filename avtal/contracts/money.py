"""Money, and how a contract's lines become the rows of Billogram's invoice.

Money is whole minor units (öre) with a currency (MON-1); there is no float, and every division names its rounding.
Calculation is in whole numbers of a fine unit, a ten-thousandth of an öre: a net in öre times a VAT rate in hundredths
of a percent is exact in it. Decimals at the edges are in kronor and exact.

Billogram's arithmetic. `price` is net and per unit, `discount` is an amount off the whole row before VAT:

    row net = count * price - discount       row VAT = row net * rate / 100, unrounded
    gross   = all nets + all VAT             total   = gross, to the whole krona, half away from zero

In öre, as shown to people: the net is exact, the VAT is rounded half away from zero, and the rounding is the
difference to the total, so that net + VAT + rounding = total always holds.

The agreed sum is what the subscriber was promised: the prices themselves if they include VAT, else their exact
gross. The total must be the agreed sum rounded to the krona.

Prices without VAT become rows unchanged. Prices with VAT seldom have a net in whole öre, so each row carries the
rounding error of the rows before it, and its net is rounded towards the krona: up if the agreed sum lies below
the krona it rounds to, else down. Why that gives the right krona for any lines:

* A division with remainder leaves less than its divisor. So after each row, whatever came before it, the
  gross so far is off by less than 1 + rate, that is 2 öre at most, and only ever towards the krona.
* So the gross lies between the agreed sum and 2 öre beyond the krona. All of that rounds to the krona, as the
  agreed sum does: also if that is exactly .50 away, and also below zero.

The same bounds keep a row's sign: no sold line gets a net below zero, no deducted one a net above it. A free
line stays free and passes the error on. The row's price is its net per unit, rounded up; the excess is its
discount, which therefore is never negative, even if the price is.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import total_ordering
from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from avtal.contracts.frozen import Frozen

_FINE = 10_000  # fine units in an öre
_FINE_KRONA = 100 * _FINE
_KRONOR_MAX = 10**12
_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("a float is not exact: give text, a whole number, or a Decimal")
    return value


VatRate = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=100, decimal_places=2)]
"""Percent."""
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Minor = Annotated[int, Field(strict=True, ge=-100 * _KRONOR_MAX, le=100 * _KRONOR_MAX)]


class CurrencyMismatch(ValueError):
    def __init__(self, one: "Money", other: "Money") -> None:
        super().__init__(f"{one.currency} and {other.currency} do not mix")


class Currency(StrEnum):
    SEK = "SEK"
    NOK = "NOK"


@total_ordering
class Money(Frozen):
    minor: Minor
    currency: Currency

    @classmethod
    def parse(cls, amount: str | Decimal, currency: Currency) -> Self:
        """Kronor with at most two decimals after a point. Raises ValueError."""
        well_formed = isinstance(amount, Decimal) or (isinstance(amount, str) and _AMOUNT.fullmatch(amount))
        minor = _minor(Decimal(amount)) if well_formed else None
        if minor is None:
            raise ValueError(f"{amount!r} is not an amount with at most two decimals, such as 395.00")
        return cls(minor=minor, currency=currency)

    @property
    def text(self) -> str:
        kronor, minor = divmod(abs(self.minor), 100)
        return f"{'-' if self.minor < 0 else ''}{kronor}.{minor:02d}"

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.text)

    def __add__(self, other: "Money") -> "Money":
        return Money(minor=self.minor + self._same_currency(other).minor, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(minor=self.minor - self._same_currency(other).minor, currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same_currency(other).minor

    def _same_currency(self, other: "Money") -> "Money":
        if self.currency is not other.currency:
            raise CurrencyMismatch(self, other)
        return other


class Line(Frozen):
    """One line as agreed. A negative price is a discount line; zero is free."""

    product: str = ""
    title: str
    quantity: Quantity
    unit_price_minor: Minor
    vat_rate: VatRate


class Row(Frozen):
    """One item of Billogram's invoice, with price and discount as defined there."""

    product: str = ""
    title: str
    count: Quantity
    price_minor: Minor
    discount_minor: Annotated[Minor, Field(ge=0)] = 0
    vat_rate: VatRate

    @property
    def net_minor(self) -> int:
        return self.count * self.price_minor - self.discount_minor


class Totals(Frozen):
    """A bill's sums as Billogram computes them: in kronor, exact; and in öre, as shown."""

    net: Decimal
    vat: Decimal
    gross: Decimal
    net_minor: int
    vat_minor: int
    rounding_minor: int
    total_minor: int
    """Whole kronor, in öre; zero for a sum of up to 0.49."""


def agreed_total(lines: Sequence[Line], prices_include_vat: bool) -> Decimal:
    """Kronor, exact; with prices without VAT it may have more than two decimals. For comparisons."""
    return _kronor(_agreed(lines, prices_include_vat))


def agreed_total_minor(lines: Sequence[Line], prices_include_vat: bool) -> int:
    """To the öre, half away from zero. For display."""
    return _divide_half_away(_agreed(lines, prices_include_vat), _FINE)


def rows_for(lines: Sequence[Line], prices_include_vat: bool) -> tuple[Row, ...]:
    nets = _carried_nets(lines) if prices_include_vat else [n.quantity * n.unit_price_minor for n in lines]
    return tuple(_row(line, net) for line, net in zip(lines, nets, strict=True))


def totals(rows: Sequence[Row]) -> Totals:
    net = sum(row.net_minor for row in rows)
    vat = sum(row.net_minor * (_factor(row.vat_rate) - _FINE) for row in rows)
    gross = net * _FINE + vat
    vat_minor = _divide_half_away(vat, _FINE)
    total_minor = 100 * _divide_half_away(gross, _FINE_KRONA)
    return Totals(
        net=_kronor(net * _FINE),
        vat=_kronor(vat),
        gross=_kronor(gross),
        net_minor=net,
        vat_minor=vat_minor,
        rounding_minor=total_minor - net - vat_minor,
        total_minor=total_minor,
    )


def _agreed(lines: Sequence[Line], prices_include_vat: bool) -> int:
    """In fine units."""
    return sum(
        line.quantity * line.unit_price_minor * (_FINE if prices_include_vat else _factor(line.vat_rate))
        for line in lines
    )


def _carried_nets(lines: Sequence[Line]) -> list[int]:
    """Each line's net in öre, as the module's docstring explains."""
    divide = _towards_krona(_agreed(lines, prices_include_vat=True))
    nets, error = [], 0
    for line in lines:
        wanted = line.quantity * line.unit_price_minor * _FINE
        factor = _factor(line.vat_rate)
        net = divide(wanted + error, factor) if wanted else 0
        error += wanted - net * factor
        nets.append(net)
    return nets


def _row(line: Line, net: int) -> Row:
    price = _divide_up(net, line.quantity)
    return Row(
        product=line.product,
        title=line.title,
        count=line.quantity,
        price_minor=price,
        discount_minor=line.quantity * price - net,
        vat_rate=line.vat_rate,
    )


def _towards_krona(agreed: int) -> Callable[[int, int], int]:
    krona = _divide_half_away(agreed, _FINE_KRONA) * _FINE_KRONA
    return _divide_up if agreed < krona else _divide_down


def _factor(vat_rate: Decimal) -> int:
    """Fine units of gross in an öre of net."""
    return _FINE + int(vat_rate * 100)


def _minor(kronor: Decimal) -> int | None:
    """Öre, or None if the amount is too large or not whole in öre."""
    if not kronor.is_finite() or abs(kronor) > _KRONOR_MAX:
        return None
    minor = int(kronor * 100)
    return minor if Decimal(minor).scaleb(-2) == kronor else None


def _kronor(fine: int) -> Decimal:
    return Decimal(fine).scaleb(-6)


def _divide_up(amount: int, by: int) -> int:
    return -(-amount // by)


def _divide_down(amount: int, by: int) -> int:
    return amount // by


def _divide_half_away(amount: int, by: int) -> int:
    rounded = (2 * abs(amount) + by) // (2 * by)
    return rounded if amount >= 0 else -rounded
