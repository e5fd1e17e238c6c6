"""Changing a billogram that was sent. Invoices are immutable, so what changes becomes further invoices.

    the rows now cost    so there is                              told by
    more                 a debit invoice over the difference      DataChange, InvoiceSent
    less                 a credit invoice over the difference     DataChange, Credit; BillogramEnded if nothing remains
    as much              a new PDF, if it would look different    DataChange, NewInvoicePDF

`items` are then what shall be paid for. `total_sum` and the sums beside it are those of all debit invoices, and
`credited_sum` that of all credit invoices, so together they say what the rows now cost.
"""

from datetime import datetime
from decimal import Decimal

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import invalid, wrong_state
from billogram_sandbox.life import agenda, billograms, delivery, settlement
from billogram_sandbox.rules.money import cost, invoiced, sum_up
from billogram_sandbox.rules.states import CREDITED, UNPAID_FAMILY
from billogram_sandbox.sandbox import Sandbox

PRINTED = ("customer", "items", "info", "regional_sweden", "show_item_gross_prices", "pdf")

ON_THE_INVOICE = ("items", "invoice_fee", "invoice_fee_vat")
"""What the first invoice was made of; its PDF shows it whatever is changed later."""


def require_open(doc: Json) -> None:
    if doc["state"] not in UNPAID_FAMILY:
        raise wrong_state(f"a billogram in state {doc['state']} cannot be changed")


def settle(sandbox: Sandbox, old: Json, doc: Json) -> None:
    """`doc` is the old one with its new values."""
    now = sandbox.clock.now()
    doc.setdefault("_first", {key: old[key] for key in ON_THE_INVOICE})
    doc["_invoiced"] = invoiced(old)
    sum_up(doc)
    events.record(sandbox, doc, "DataChange", now)
    was, costs = cost(old), cost(doc)
    difference = costs["total"] - was["total"]
    if difference >= 0:
        doc["_invoiced"] = _added(doc["_invoiced"], was, costs)
        sum_up(doc)
    if difference > 0:
        _tell(sandbox, doc, "InvoiceSent", difference, now)
    elif difference < 0:
        _credit(sandbox, doc, -difference, now)
    elif any(old[key] != doc[key] for key in PRINTED):
        letter = delivery.letter(doc, doc["invoice_no"], doc["delivery_method"])
        events.record(sandbox, doc, "NewInvoicePDF", now, letter)
    if doc["state"] in UNPAID_FAMILY:
        agenda.watch(sandbox, doc, now)
    billograms.save(sandbox, doc, now)


def _added(so_far: Json, was: Json, costs: Json) -> Json:
    return {name: amount + costs[name] - was[name] for name, amount in so_far.items()}


def _credit(sandbox: Sandbox, doc: Json, amount: Decimal, at: datetime) -> None:
    if amount > settlement.uncredited(doc):
        raise invalid("the rows cost less than what was credited already leaves", "items")
    doc["detailed_sums"]["credited_sum"] -= amount
    sum_up(doc)
    _tell(sandbox, doc, "Credit", amount, at)
    if doc["remaining_sum"] <= 0:
        settlement.end(sandbox, doc, CREDITED, at)
    settlement.write_off_by_itself(sandbox, doc, at)


def _tell(sandbox: Sandbox, doc: Json, kind: str, amount: Decimal, at: datetime) -> None:
    letter = delivery.letter(doc, billograms.new_invoice_no(sandbox, doc["id"]), doc["delivery_method"])
    events.record(sandbox, doc, kind, at, letter | {"amount": amount} | billograms.told_sums(doc))
