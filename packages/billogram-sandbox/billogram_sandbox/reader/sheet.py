"""What an invoice says in figures, for page and PDF alike: its rows, its VAT by rate, its sums, all in Decimal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.core.documents import Json
from billogram_sandbox.rules.money import hundredths, late_fees, sums

ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """Amounts are without VAT, or with it if the billogram shows its prices so."""

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
class Sheet:
    """`fee` is without VAT, like the net and unlike what the lines may show."""

    lines: Sequence[Line]
    vats: Sequence[Vat]
    fee: Decimal
    net: Decimal
    vat: Decimal
    rounding: Decimal
    total: Decimal
    with_vat: bool


@dataclass(frozen=True)
class Account:
    """What was owed and what became of it. `waived` is what was let off."""

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


def sheet(doc: Json, rows: Sequence[Json] | None = None) -> Sheet:
    """Of the invoice, or of the rows of one of its credit invoices, on which there is no fee."""
    fee, fee_vat = (doc["invoice_fee"], doc["invoice_fee_vat"]) if rows is None else (0, 0)
    shown = doc["items"] if rows is None else rows
    result, with_vat = sums(shown, doc["currency"], fee, fee_vat), bool(doc["show_item_gross_prices"])
    return Sheet(
        [_line(row, with_vat) for row in shown],
        _vats([*((_net(row), Decimal(row["vat"])) for row in shown), (Decimal(fee), Decimal(fee_vat))]),
        hundredths(fee),
        result["net_sum"],
        result["vat_sum"],
        result["rounding"],
        result["total"],
        with_vat,
    )


def part(doc: Json, amount: Decimal) -> Sheet:
    """A further invoice over an amount, or if that is negative a credit invoice: the invoice's own lines turned
    round if all of it is credited, else a part of each VAT rate."""
    whole = sheet(doc)
    if amount == -whole.total and not whole.fee:
        return sheet(doc, [row | {"count": -row["count"], "discount": -row["discount"]} for row in doc["items"]])
    share = amount / (whole.net + whole.vat) if whole.net + whole.vat else ZERO
    vats = [Vat(each.rate, hundredths(each.net * share), hundredths(each.vat * share)) for each in whole.vats]
    net, vat = sum((each.net for each in vats), ZERO), sum((each.vat for each in vats), ZERO)
    lines = [Line("", "", Decimal(1), "", each.net, ZERO, each.rate, each.net) for each in vats]
    return Sheet(lines, vats, ZERO, net, vat, amount - net - vat, amount, False)


def account(doc: Json) -> Account:
    detailed = doc["detailed_sums"]
    total, fees, remaining = Decimal(doc["total_sum"]), late_fees(doc), Decimal(doc["remaining_sum"])
    paid = -Decimal(detailed["paid_sum"] + detailed["collector_paid_sum"])
    credited = -Decimal(detailed["credited_sum"])
    amounts = (total, detailed["reminder_fee"], detailed["interest_fee"], paid, credited)
    waived = total + fees - paid - credited - remaining
    return Account(*(hundredths(amount) for amount in (*amounts, max(waived, ZERO), remaining)))


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
    """The highest rate first. A rate of which nothing was sold is not named, and no VAT is no rate."""
    by_rate: dict[Decimal, Decimal] = {}
    for net, rate in nets:
        if net:
            by_rate[rate] = by_rate.get(rate, ZERO) + net
    return [Vat(rate, hundredths(net), hundredths(net * rate / 100)) for rate, net in sorted(by_rate.items())[::-1]]
