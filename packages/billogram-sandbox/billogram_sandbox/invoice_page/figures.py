"""The figures of an invoice for page and PDF: rows, VAT by rate, sums, all in Decimal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.core.documents import Json
from billogram_sandbox.rules.money import hundredths, late_fees, sums_of

ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """Amounts exclude VAT, unless the billogram shows gross prices."""

    title: str
    description: str
    count: Decimal
    unit: str
    price: Decimal
    discount: Decimal
    vat: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Vat:
    rate: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True)
class Figures:
    """`fee` always excludes VAT."""

    lines: Sequence[Line]
    vats: Sequence[Vat]
    fee: Decimal
    net: Decimal
    vat: Decimal
    rounding: Decimal
    total: Decimal
    with_vat: bool


@dataclass(frozen=True)
class Balance:
    """What was owed, how it was settled, and what remains."""

    total: Decimal
    reminder_fees: Decimal
    interest: Decimal
    paid: Decimal
    credited: Decimal
    waived: Decimal
    remaining: Decimal

    @property
    def settled(self) -> Decimal:
        return self.paid + self.credited + self.waived


def figures_of(doc: Json, rows: Sequence[Json] | None = None) -> Figures:
    """The figures of the invoice, or of the given rows of a credit invoice, without a fee."""
    fee, fee_vat = (doc["invoice_fee"], doc["invoice_fee_vat"]) if rows is None else (0, 0)
    shown = doc["items"] if rows is None else rows
    result, with_vat = sums_of(shown, doc["currency"], fee, fee_vat), bool(doc["show_item_gross_prices"])
    return Figures(
        [_line(row, with_vat) for row in shown],
        _vats([*((_net(row), Decimal(row["vat"])) for row in shown), (Decimal(fee), Decimal(fee_vat))]),
        hundredths(fee),
        result["net_sum"],
        result["vat_sum"],
        result["rounding"],
        result["total"],
        with_vat,
    )


def figures_of_amount(doc: Json, amount: Decimal) -> Figures:
    """A further invoice over an amount, or a credit invoice if it is negative: the invoice's rows negated if all of it
    is credited, else a part of each VAT rate."""
    whole = figures_of(doc)
    if amount == -whole.total and not whole.fee:
        return figures_of(doc, [row | {"count": -row["count"], "discount": -row["discount"]} for row in doc["items"]])
    share = amount / (whole.net + whole.vat) if whole.net + whole.vat else ZERO
    vats = [Vat(each.rate, hundredths(each.net * share), hundredths(each.vat * share)) for each in whole.vats]
    net, vat = sum((each.net for each in vats), ZERO), sum((each.vat for each in vats), ZERO)
    lines = [Line("", "", Decimal(1), "", each.net, ZERO, each.rate, each.net) for each in vats]
    return Figures(lines, vats, ZERO, net, vat, amount - net - vat, amount, False)


def balance_of(doc: Json) -> Balance:
    detailed = doc["detailed_sums"]
    total, fees, remaining = Decimal(doc["total_sum"]), late_fees(doc), Decimal(doc["remaining_sum"])
    paid = -Decimal(detailed["paid_sum"] + detailed["collector_paid_sum"])
    credited = -Decimal(detailed["credited_sum"])
    amounts = (total, detailed["reminder_fee"], detailed["interest_fee"], paid, credited)
    waived = total + fees - paid - credited - remaining
    return Balance(*(hundredths(amount) for amount in (*amounts, max(waived, ZERO), remaining)))


def _line(row: Json, with_vat: bool) -> Line:
    factor = 1 + Decimal(row["vat"]) / 100 if with_vat else Decimal(1)
    return Line(
        row["title"],
        row["description"] or "",
        Decimal(row["count"]),
        row["unit"] or "",
        hundredths(row["price"] * factor),
        hundredths(row["discount"] * factor),
        Decimal(row["vat"]),
        hundredths(_net(row) * factor),
    )


def _net(row: Json) -> Decimal:
    return Decimal(row["count"]) * Decimal(row["price"]) - Decimal(row["discount"])


def _vats(nets: Iterable[tuple[Decimal, Decimal]]) -> list[Vat]:
    """Highest rate first, without rates whose net is zero."""
    by_rate: dict[Decimal, Decimal] = {}
    for net, rate in nets:
        if net:
            by_rate[rate] = by_rate.get(rate, ZERO) + net
    return [Vat(rate, hundredths(net), hundredths(net * rate / 100)) for rate, net in sorted(by_rate.items())[::-1]]
