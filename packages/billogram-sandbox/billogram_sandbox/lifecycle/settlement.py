"""Payments, recalls, credits, writeoffs, and losses of a sent billogram: sums, state, events.

An end has two events, as at Billogram: its cause, with the new sums and the old state, then BillogramEnded with the new
state. As in Billogram's API documentation, the callback of a recall has no `billogram`, `event`, or `custom`
at the top.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from billogram_sandbox.account import web_settings
from billogram_sandbox.callbacks import events, outbox
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import invalid
from billogram_sandbox.lifecycle import delivery, lateness
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.money import late_fees, principal_remaining, sums_of, update_sums
from billogram_sandbox.rules.states import (
    AT_COLLECTOR,
    COLLECTOR_ENDED,
    CREDITED,
    ENDED,
    OWED,
    PAID,
    PARTLY_PAID,
    REOPENED_BY_RECALL,
    SOLD,
    UNPAID_FAMILY,
)
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Credit, NoArguments, Payment
from billogram_sandbox.shapes.values import parse

RECALLED = "PaymentRecalled"
ADJUSTMENT_LIMIT = Decimal(5)
"""Smaller overpayments are adjusted in the books; larger ones are owed to the payer."""


def register_payment(context: RequestContext, doc: Json, body: Json) -> None:
    """The command `payment`, by the creditor. It cannot be recalled."""
    pay(context.sandbox, doc, parse(Payment, body).amount, {"manual": True, "payer_name": None})


def pay(sandbox: Sandbox, doc: Json, amount: Decimal, how: Json) -> None:
    data: Json = {"amount": amount, "banking_amount": None, "payment_flags": []} | how
    _receive(sandbox, doc, "paid_sum", "Payment", data)


def pay_by_collector(sandbox: Sandbox, doc: Json, amount: Decimal) -> None:
    data: Json = {"amount": amount, "collector_method": "sandbox", "collector_reference": doc["id"]}
    _receive(sandbox, doc, "collector_paid_sum", "CollectorPayment", data)


def credit(context: RequestContext, doc: Json, body: Json) -> None:
    wanted, now = parse(Credit, body), context.sandbox.clock.now()
    is_open = doc["state"] in UNPAID_FAMILY
    amount = CREDIT_AMOUNTS[wanted.mode](doc, wanted)
    if not 0 < amount <= uncredited(doc) + late_fees(doc):
        raise invalid("the amount is not between zero and what can be credited", "amount")
    if wanted.mode == "full" and is_open:
        doc["_waived_sum"] = late_fees(doc)
    doc["detailed_sums"]["credited_sum"] -= amount
    update_sums(doc)
    invoice_no = billograms.new_invoice_no(context.sandbox, doc["id"])
    if wanted.mode == "items" and wanted.items:
        doc["_credit_rows"] = doc.get("_credit_rows", {}) | {
            str(invoice_no): [row.model_dump() for row in wanted.items]
        }
    letter = delivery.new_letter(doc, invoice_no, wanted.method or doc["delivery_method"])
    events.publish(context.sandbox, doc, "Credit", now, letter | {"amount": amount} | billograms.current_sums(doc))
    if doc["remaining_sum"] <= 0 if is_open else uncredited(doc) <= 0:
        end(context.sandbox, doc, CREDITED, now)
    write_off_automatically(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def write_off(context: RequestContext, doc: Json, body: Json) -> None:
    """Waives the late fees. It is not a loss: the principal is settled."""
    parse(NoArguments, body)
    now = context.sandbox.clock.now()
    _waive(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def confirm_loss(context: RequestContext, doc: Json, body: Json) -> None:
    parse(NoArguments, body)
    lost = doc["remaining_sum"]
    doc["_is_lost"] = True
    _end_with(context, doc, "ConfirmedLoss", lost, ENDED)


def write_down(context: RequestContext, doc: Json, body: Json) -> None:
    """An expected loss: bookkeeping only."""
    parse(NoArguments, body)
    doc["_written_down"] = doc["remaining_sum"]
    _publish(context, doc, "Writedown", doc["_written_down"])
    billograms.save(context.sandbox, doc, context.sandbox.clock.now())


def revert_write_down(context: RequestContext, doc: Json, body: Json) -> None:
    parse(NoArguments, body)
    _publish(context, doc, "RevertWritedown", doc.pop("_written_down"))
    billograms.save(context.sandbox, doc, context.sandbox.clock.now())


def only_fees_remain(doc: Json) -> bool:
    return bool(principal_remaining(doc) <= 0 < doc["remaining_sum"])


def uncredited(doc: Json) -> Decimal:
    return Decimal(doc["total_sum"] + doc["detailed_sums"]["credited_sum"])


def end(sandbox: Sandbox, doc: Json, state: str, at: datetime) -> None:
    assert state in (PAID, CREDITED, ENDED, COLLECTOR_ENDED, SOLD)
    doc |= {"state": state, "_wakes_at": None}
    events.publish(sandbox, doc, "BillogramEnded", at)


def last_recallable_payment(sandbox: Sandbox, doc: Json) -> Json | None:
    """The last payment that was not recalled. Payments by command cannot be recalled."""
    recalled: set[str] = set()
    for event in events.of_types(sandbox, doc["id"], ("Payment", RECALLED)):
        if event["type"] == RECALLED:
            recalled |= set(event["data"]["related_payment_event_uuids"])
        elif not event["data"]["manual"] and event["event_uuid"] not in recalled:
            return event
    return None


def recall(sandbox: Sandbox, doc: Json, payment: Json) -> None:
    now, amount = sandbox.clock.now(), Decimal(payment["data"]["amount"])
    doc["detailed_sums"]["paid_sum"] += amount
    update_sums(doc)
    if not doc["detailed_sums"]["paid_sum"]:
        doc["flags"] = sorted(set(doc["flags"]) - {"partly paid"})
    if doc["remaining_sum"] > 0 and doc["state"] in REOPENED_BY_RECALL:
        lateness.reopen(sandbox, doc, now)
    data = {"recalled_amount": amount, "related_payment_event_uuids": [payment["event_uuid"]]}
    event = events.append(sandbox, doc, RECALLED, now, data)
    outbox.enqueue(sandbox, doc, _recall_body(doc, event, payment, now))
    billograms.save(sandbox, doc, now)


def _receive(sandbox: Sandbox, doc: Json, into: str, kind: str, data: Json) -> None:
    """Payments arrive in any state, also after the end."""
    now, before, amount = sandbox.clock.now(), doc["state"], data["amount"]
    doc["detailed_sums"][into] -= amount
    update_sums(doc)
    remaining = doc["remaining_sum"]
    if before in UNPAID_FAMILY and remaining > 0:
        doc |= {"state": PARTLY_PAID, "flags": sorted({*doc["flags"], "partly paid"})}
    events.publish(sandbox, doc, kind, now, data | billograms.current_sums(doc))
    if remaining < 0:
        excess = min(amount, -remaining)
        too_much = "OverpaymentAdjustment" if excess < ADJUSTMENT_LIMIT else "OverpaymentCustomerLiability"
        events.publish(sandbox, doc, too_much, now, {"amount": excess})
    if before in OWED and remaining <= 0:
        if before in AT_COLLECTOR:
            doc["flags"] = sorted({*doc["flags"], "paid on collection"})
        end(sandbox, doc, PAID, now)
    write_off_automatically(sandbox, doc, now)
    billograms.save(sandbox, doc, now)


def write_off_automatically(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    """If only fees remain and the account's settings allow it."""
    wanted = web_settings.load(sandbox.database)["automatic_writeoff"]
    is_small = wanted["amount"] is not None and doc["remaining_sum"] <= wanted["amount"]
    if doc["state"] in UNPAID_FAMILY and only_fees_remain(doc) and (wanted["settings"] == "all_fees" or is_small):
        _waive(sandbox, doc, at)


def _waive(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    waived = doc["remaining_sum"]
    doc["_waived_sum"] = doc.get("_waived_sum", 0) + waived
    update_sums(doc)
    events.publish(sandbox, doc, "Writeoff", at, {"amount": waived} | billograms.current_sums(doc))
    end(sandbox, doc, PAID, at)


def _end_with(context: RequestContext, doc: Json, kind: str, amount: Decimal, state: str) -> None:
    now = context.sandbox.clock.now()
    update_sums(doc)
    _publish(context, doc, kind, amount)
    end(context.sandbox, doc, state, now)
    billograms.save(context.sandbox, doc, now)


def _publish(context: RequestContext, doc: Json, kind: str, amount: Decimal) -> None:
    now = context.sandbox.clock.now()
    events.publish(context.sandbox, doc, kind, now, {"amount": amount} | billograms.current_sums(doc))


def _stated_amount(_: Json, wanted: Credit) -> Decimal:
    if wanted.amount is None:
        raise invalid("Amount not set", "amount")
    return wanted.amount


def _amount_of_rows(doc: Json, wanted: Credit) -> Decimal:
    """A credit invoice is rounded like an invoice."""
    if not wanted.items:
        raise invalid("Items not set", "items")
    rows = [row.model_dump() for row in wanted.items]
    return -Decimal(sums_of(rows, doc["currency"])["total"])


def _recall_body(doc: Json, event: Json, payment: Json, at: datetime) -> Json:
    amount = event["data"]["recalled_amount"]
    shown = {key: doc[key] for key in ("id", "state", "invoice_no")} | {"remaining_amount": doc["remaining_sum"]}
    recalled = {
        "incoming_payment_id": str(uuid.uuid4()),
        "executed_on": str(civil_day(at)),
        "message": "Refund Request By End Customer",
        "payment_schema": {"code": payment["data"]["payment_type"].upper()},
        "total_amount": amount,
        "fee": 0,
        "payables": [{"type": "Billogram", "billogram": shown | {"event": event}}],
    }
    return outbox.envelope(RECALLED, at) | {"payment_recall": recalled}


CREDIT_AMOUNTS: dict[str, Callable[[Json, Credit], Decimal]] = {
    "full": lambda doc, _: uncredited(doc),
    "remaining": lambda doc, _: Decimal(doc["remaining_sum"]),
    "amount": _stated_amount,
    "items": _amount_of_rows,
}
