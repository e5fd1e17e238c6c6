"""What a billogram sums up to. Only here is money computed: in Decimal, rounded once, at the end.

A row's net is count * price - discount, its VAT is net * vat / 100; the fee adds to both. The total is
rounded to whole kronor (half away from zero) in SEK and NOK, to hundredths elsewhere.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext

from billogram_sandbox.documents import Json

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
    """Sets every sum of a billogram from its rows and fee and from what was paid and credited."""
    fee, fee_vat = doc["invoice_fee"], doc["invoice_fee_vat"]
    result = sums(doc["items"], doc["currency"], fee, fee_vat)
    old = doc["detailed_sums"]
    total = doc["total_sum"] = result.pop("total")
    remaining = doc["remaining_sum"] = hundredths(total + old["paid_sum"] + old["credited_sum"])
    doc["rounding_value"] = result["rounding"]
    fees = {"invoice_fee": fee, "invoice_fee_vat": fee_vat}
    doc["detailed_sums"] = old | result | fees | {"remaining_sum": remaining}
