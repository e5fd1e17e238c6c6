"""What money, credits, waivers, and losses do to a sent billogram: its sums, its state, and the events that tell it.

An end is told twice, as recorded of payments: first by what brought it about, with the sums as they are then and the
state as it was, then by BillogramEnded with the new state.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from billogram_sandbox.account import web_settings
from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import invalid
from billogram_sandbox.life import billograms, delivery
from billogram_sandbox.rules.money import late_fees, principal_remaining, sum_up, sums
from billogram_sandbox.rules.states import (
    AT_COLLECTOR,
    COLLECTOR_ENDED,
    CREDITED,
    ENDED,
    OWED,
    PAID,
    PARTLY_PAID,
    SOLD,
    UNPAID_FAMILY,
)
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Credit, Nothing, Payment
from billogram_sandbox.shapes.values import read

SMALL = Decimal(5)
"""What is paid too much is below it adjusted in the books, else it is the payer's (EDGE-3)."""


def payment(call: Call, doc: Json, body: Json) -> None:
    """Registered by the creditor: it can't be recalled."""
    pay(call.sandbox, doc, read(Payment, body).amount, {"manual": True, "payer_name": None})


def pay(sandbox: Sandbox, doc: Json, amount: Decimal, how: Json) -> None:
    data: Json = {"amount": amount, "banking_amount": None, "payment_flags": []} | how
    _receive(sandbox, doc, "paid_sum", "Payment", data)


def pay_by_collector(sandbox: Sandbox, doc: Json, amount: Decimal) -> None:
    data: Json = {"amount": amount, "collector_method": "sandbox", "collector_reference": doc["id"]}
    _receive(sandbox, doc, "collector_paid_sum", "CollectorPayment", data)


def credit(call: Call, doc: Json, body: Json) -> None:
    wanted, now = read(Credit, body), call.sandbox.clock.now()
    is_open = doc["state"] in UNPAID_FAMILY
    amount = CREDITS[wanted.mode](doc, wanted)
    if not 0 < amount <= uncredited(doc) + late_fees(doc):
        raise invalid("the amount is not between zero and what can be credited", "amount")
    if wanted.mode == "full" and is_open:
        doc["_waived_sum"] = late_fees(doc)
    doc["detailed_sums"]["credited_sum"] -= amount
    sum_up(doc)
    invoice_no = billograms.new_invoice_no(call.sandbox, doc["id"])
    if wanted.mode == "items" and wanted.items:
        doc["_credit_rows"] = doc.get("_credit_rows", {}) | {
            str(invoice_no): [row.model_dump() for row in wanted.items]
        }
    letter = delivery.letter(doc, invoice_no, wanted.method or doc["delivery_method"])
    events.record(call.sandbox, doc, "Credit", now, letter | {"amount": amount} | billograms.told_sums(doc))
    if doc["remaining_sum"] <= 0 if is_open else uncredited(doc) <= 0:
        end(call.sandbox, doc, CREDITED, now)
    write_off_by_itself(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def write_off(call: Call, doc: Json, body: Json) -> None:
    """The fees of being late are waived. It is no loss: the invoice itself was paid."""
    read(Nothing, body)
    now = call.sandbox.clock.now()
    _waive(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def confirm_loss(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    lost = doc["remaining_sum"]
    doc["_is_lost"] = True
    _end_by(call, doc, "ConfirmedLoss", lost, ENDED)


def write_down(call: Call, doc: Json, body: Json) -> None:
    """A loss is feared: a matter of bookkeeping alone."""
    read(Nothing, body)
    doc["_written_down"] = doc["remaining_sum"]
    _tell(call, doc, "Writedown", doc["_written_down"])
    billograms.save(call.sandbox, doc, call.sandbox.clock.now())


def revert_write_down(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    _tell(call, doc, "RevertWritedown", doc.pop("_written_down"))
    billograms.save(call.sandbox, doc, call.sandbox.clock.now())


def only_fees_remain(doc: Json) -> bool:
    return bool(principal_remaining(doc) <= 0 < doc["remaining_sum"])


def uncredited(doc: Json) -> Decimal:
    return Decimal(doc["total_sum"] + doc["detailed_sums"]["credited_sum"])


def end(sandbox: Sandbox, doc: Json, state: str, at: datetime) -> None:
    assert state in (PAID, CREDITED, ENDED, COLLECTOR_ENDED, SOLD)
    doc |= {"state": state, "_wakes_at": None}
    events.record(sandbox, doc, "BillogramEnded", at)


def _receive(sandbox: Sandbox, doc: Json, into: str, kind: str, data: Json) -> None:
    """Money comes when it comes, also after the end."""
    now, before, amount = sandbox.clock.now(), doc["state"], data["amount"]
    doc["detailed_sums"][into] -= amount
    sum_up(doc)
    remaining = doc["remaining_sum"]
    if before in UNPAID_FAMILY and remaining > 0:
        doc |= {"state": PARTLY_PAID, "flags": sorted({*doc["flags"], "partly paid"})}
    events.record(sandbox, doc, kind, now, data | billograms.told_sums(doc))
    if remaining < 0:
        excess = min(amount, -remaining)
        too_much = "OverpaymentAdjustment" if excess < SMALL else "OverpaymentCustomerLiability"
        events.record(sandbox, doc, too_much, now, {"amount": excess})
    if before in OWED and remaining <= 0:
        if before in AT_COLLECTOR:
            doc["flags"] = sorted({*doc["flags"], "paid on collection"})
        end(sandbox, doc, PAID, now)
    write_off_by_itself(sandbox, doc, now)
    billograms.save(sandbox, doc, now)


def write_off_by_itself(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    """If only fees remain, and the account's settings say so."""
    wanted = web_settings.load(sandbox.database)["automatic_writeoff"]
    is_small = wanted["amount"] is not None and doc["remaining_sum"] <= wanted["amount"]
    if doc["state"] in UNPAID_FAMILY and only_fees_remain(doc) and (wanted["settings"] == "all_fees" or is_small):
        _waive(sandbox, doc, at)


def _waive(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    waived = doc["remaining_sum"]
    doc["_waived_sum"] = doc.get("_waived_sum", 0) + waived
    sum_up(doc)
    events.record(sandbox, doc, "Writeoff", at, {"amount": waived} | billograms.told_sums(doc))
    end(sandbox, doc, PAID, at)


def _end_by(call: Call, doc: Json, kind: str, amount: Decimal, state: str) -> None:
    now = call.sandbox.clock.now()
    sum_up(doc)
    _tell(call, doc, kind, amount)
    end(call.sandbox, doc, state, now)
    billograms.save(call.sandbox, doc, now)


def _tell(call: Call, doc: Json, kind: str, amount: Decimal) -> None:
    now = call.sandbox.clock.now()
    events.record(call.sandbox, doc, kind, now, {"amount": amount} | billograms.told_sums(doc))


def _given_amount(_: Json, wanted: Credit) -> Decimal:
    if wanted.amount is None:
        raise invalid("Amount not set", "amount")
    return wanted.amount


def _amount_of_rows(doc: Json, wanted: Credit) -> Decimal:
    """A credit invoice is summed and rounded like any other."""
    if not wanted.items:
        raise invalid("Items not set", "items")
    rows = [row.model_dump() for row in wanted.items]
    return -Decimal(sums(rows, doc["currency"])["total"])


CREDITS: dict[str, Callable[[Json, Credit], Decimal]] = {
    "full": lambda doc, _: uncredited(doc),
    "remaining": lambda doc, _: Decimal(doc["remaining_sum"]),
    "amount": _given_amount,
    "items": _amount_of_rows,
}
