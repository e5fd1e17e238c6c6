"""What money and credits do to a sent billogram: its sums, its state, and the events that tell of it."""

from datetime import datetime
from decimal import Decimal

from billogram_sandbox import billograms, events
from billogram_sandbox.documents import Json
from billogram_sandbox.money import sum_up
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.states import CREDITED, ENDED, PAID, PARTLY_PAID, UNPAID_FAMILY


def pay(sandbox: Sandbox, doc: Json, amount: Decimal, how: Json) -> None:
    """The Payment callback shows nothing left to pay while the state is still an unpaid one, as recorded."""
    now, unpaid = sandbox.clock.now(), doc["state"] in UNPAID_FAMILY
    doc["detailed_sums"]["paid_sum"] -= amount
    sum_up(doc)
    remaining = doc["remaining_sum"]
    if unpaid and remaining > 0:
        doc |= {"state": PARTLY_PAID, "flags": sorted({*doc["flags"], "partly paid"})}
    data: Json = {"amount": amount, "banking_amount": None, "payment_flags": []} | how
    events.record(sandbox, doc, "Payment", now, data | _sums(doc))
    if remaining < 0:
        excess = {"amount": min(amount, -remaining)}
        events.record(sandbox, doc, "OverpaymentAdjustment", now, excess)
    if unpaid and remaining <= 0:
        end(sandbox, doc, PAID, now)
    billograms.save(sandbox, doc, now)


def credit(sandbox: Sandbox, doc: Json, amount: Decimal, invoice: Json) -> None:
    """Ends as Credited once the credits cover the total, or what was left of it."""
    now, unpaid = sandbox.clock.now(), doc["state"] in UNPAID_FAMILY
    doc["detailed_sums"]["credited_sum"] -= amount
    sum_up(doc)
    events.record(sandbox, doc, "Credit", now, invoice | {"amount": amount} | _sums(doc))
    covered = creditable(doc) <= 0 or (unpaid and doc["remaining_sum"] <= 0)
    if covered:
        end(sandbox, doc, CREDITED, now)
    billograms.save(sandbox, doc, now)


def creditable(doc: Json) -> Decimal:
    return Decimal(doc["total_sum"] + doc["detailed_sums"]["credited_sum"])


def end(sandbox: Sandbox, doc: Json, state: str, at: datetime) -> None:
    assert state in (PAID, CREDITED, ENDED)
    doc |= {"state": state, "_wakes_at": None}
    events.record(sandbox, doc, "BillogramEnded", at)


def _sums(doc: Json) -> Json:
    return {"total_sum": doc["total_sum"], "remaining_sum": doc["remaining_sum"]}
