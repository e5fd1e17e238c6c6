"""What a billogram sums up to. Only here is money computed: in Decimal, rounded once, at the end.

A row's net is count * price - discount, its VAT is net * vat / 100; the fee adds to both. The total is
rounded to whole kronor (half away from zero) in SEK and NOK, to hundredths elsewhere. Fees of being late add to what
remains, never to the total.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext

from billogram_sandbox.core.documents import Json

WHOLE = {"SEK": Decimal(1), "NOK": Decimal(1)}
HUNDREDTH = Decimal("0.01")
NO_SUMS: Json = {
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
    """As the platform shows amounts. The zero added makes a minus zero plain."""
    return Decimal(amount).quantize(HUNDREDTH, ROUND_HALF_UP) + 0


def sums(rows: Iterable[Json], currency: str, fee: Decimal | int = 0, fee_vat: Decimal | int = 0) -> Json:
    with localcontext() as context:
        context.prec = 60
        nets = [(Decimal(row["count"]) * row["price"] - row["discount"], row["vat"]) for row in rows]
        nets.append((Decimal(fee), fee_vat))
        net = sum((amount for amount, _ in nets), Decimal(0))
        vat = sum((amount * rate / 100 for amount, rate in nets), Decimal(0))
        total = (net + vat).quantize(WHOLE.get(currency, HUNDREDTH), ROUND_HALF_UP)
        exact = {"net_sum": net, "vat_sum": vat, "gross_sum": net + vat, "rounding": total - net - vat}
        return {name: hundredths(amount) for name, amount in exact.items()} | {"total": hundredths(total)}


def sum_up(doc: Json) -> None:
    """Sets every sum of a billogram from its rows and fee and from what was paid, credited, charged, and waived.

    Of a lost one nothing remains, however much was paid before and after, unless it was too much.
    """
    fee, fee_vat = doc["invoice_fee"], doc["invoice_fee_vat"]
    result = invoiced(doc)
    doc["total_sum"], doc["rounding_value"] = result.pop("total"), result["rounding"]
    rest = principal_remaining(doc) + late_fees(doc) - doc.get("_waived_sum", 0)
    remaining = doc["remaining_sum"] = hundredths(min(rest, Decimal(0)) if doc.get("_is_lost") else rest)
    fees = {"invoice_fee": fee, "invoice_fee_vat": fee_vat}
    doc["detailed_sums"] = doc["detailed_sums"] | result | fees | {"remaining_sum": remaining}


def invoiced(doc: Json) -> Json:
    """By all its debit invoices together: those of a billogram whose rows were changed after the first are kept."""
    if kept := doc.get("_invoiced"):
        return dict(kept)
    return cost(doc)


def cost(doc: Json) -> Json:
    """Of its rows and fee as they are now."""
    return sums(doc["items"], doc["currency"], doc["invoice_fee"], doc["invoice_fee_vat"])


def principal_remaining(doc: Json) -> Decimal:
    """Of the total, without the fees of being late."""
    detailed = doc["detailed_sums"]
    settled = detailed["paid_sum"] + detailed["collector_paid_sum"] + detailed["credited_sum"]
    return Decimal(doc["total_sum"] + settled)


def late_fees(doc: Json) -> Decimal:
    return Decimal(doc["detailed_sums"]["reminder_fee"] + doc["detailed_sums"]["interest_fee"])
