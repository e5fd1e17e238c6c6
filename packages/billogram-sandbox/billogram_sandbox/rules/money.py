"""The sums of a billogram, in Decimal, rounded once at the end. No other module computes money.

A row's net is count * price - discount, its VAT is net * vat / 100; the invoice fee adds to both. The total is rounded
half away from zero: to whole kronor in SEK and NOK, to hundredths elsewhere. Late fees add to what remains, never to
the total.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext

from billogram_sandbox.core.documents import Json

WHOLE_UNITS = {"SEK": Decimal(1), "NOK": Decimal(1)}
HUNDREDTH = Decimal("0.01")
ZERO_SUMS: Json = {
    "net_sum": 0,
    "vat_sum": 0,
    "gross_sum": 0,
    "rounding": 0,
    "invoice_fee": 0,
    "invoice_fee_vat": 0,
    "reminder_fee": 0,
    "interest_fee": 0,
    "paid_sum": 0,
    "collector_paid_sum": 0,
    "credited_sum": 0,
    "remaining_sum": 0,
    "regional_sweden": {"rotavdrag_sum": 0},
}


def hundredths(amount: Decimal | int) -> Decimal:
    """Adding zero turns a minus zero into zero."""
    return Decimal(amount).quantize(HUNDREDTH, ROUND_HALF_UP) + 0


def sums_of(rows: Iterable[Json], currency: str, fee: Decimal | int = 0, fee_vat: Decimal | int = 0) -> Json:
    with localcontext() as context:
        context.prec = 60
        nets = [(Decimal(row["count"]) * row["price"] - row["discount"], row["vat"]) for row in rows]
        nets.append((Decimal(fee), fee_vat))
        net = sum((amount for amount, _ in nets), Decimal(0))
        vat = sum((amount * rate / 100 for amount, rate in nets), Decimal(0))
        total = (net + vat).quantize(WHOLE_UNITS.get(currency, HUNDREDTH), ROUND_HALF_UP)
        exact = {"net_sum": net, "vat_sum": vat, "gross_sum": net + vat, "rounding": total - net - vat}
        return {name: hundredths(amount) for name, amount in exact.items()} | {"total": hundredths(total)}


def update_sums(doc: Json) -> None:
    """Sets every sum from rows and fee and from what was paid, credited, charged, and waived.

    Nothing remains of a lost billogram, except an overpayment.
    """
    fee, fee_vat = doc["invoice_fee"], doc["invoice_fee_vat"]
    result = invoiced_sums(doc)
    doc["total_sum"], doc["rounding_value"] = result.pop("total"), result["rounding"]
    rest = principal_remaining(doc) + late_fees(doc) - doc.get("_waived_sum", 0)
    remaining = doc["remaining_sum"] = hundredths(min(rest, Decimal(0)) if doc.get("_is_lost") else rest)
    fees = {"invoice_fee": fee, "invoice_fee_vat": fee_vat}
    doc["detailed_sums"] = doc["detailed_sums"] | result | fees | {"remaining_sum": remaining}


def invoiced_sums(doc: Json) -> Json:
    """The sums of all debit invoices: a billogram that was changed after sending stores their sums."""
    if stored := doc.get("_invoiced"):
        return dict(stored)
    return current_cost(doc)


def current_cost(doc: Json) -> Json:
    """The sums of the current rows and fee."""
    return sums_of(doc["items"], doc["currency"], doc["invoice_fee"], doc["invoice_fee_vat"])


def principal_remaining(doc: Json) -> Decimal:
    """Without late fees."""
    detailed = doc["detailed_sums"]
    settled = detailed["paid_sum"] + detailed["collector_paid_sum"] + detailed["credited_sum"]
    return Decimal(doc["total_sum"] + settled)


def late_fees(doc: Json) -> Decimal:
    return Decimal(doc["detailed_sums"]["reminder_fee"] + doc["detailed_sums"]["interest_fee"])
