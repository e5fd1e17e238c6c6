"""Changes of a sent billogram. Invoices are immutable, so changes create further invoices.

    the rows now cost    result                                   events
    more                 a debit invoice over the difference      DataChange, InvoiceSent
    less                 a credit invoice over the difference     DataChange, Credit; BillogramEnded if nothing remains
    the same             a new PDF, if the look changes           DataChange, NewInvoicePDF

`items` are the current rows. `total_sum` and the sums beside it cover all debit invoices, `credited_sum` all credit
invoices; their sum is the cost of the current rows.
"""

from datetime import datetime
from decimal import Decimal

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import invalid, wrong_state
from billogram_sandbox.lifecycle import delivery, schedule, settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.rules.money import current_cost, invoiced_sums, update_sums
from billogram_sandbox.rules.states import CREDITED, UNPAID_FAMILY
from billogram_sandbox.sandbox import Sandbox

PRINTED_KEYS = ("customer", "items", "info", "regional_sweden", "show_item_gross_prices", "pdf")

INVOICED_KEYS = ("items", "invoice_fee", "invoice_fee_vat")
"""The content of the first invoice, stored for its PDF."""


def require_open(doc: Json) -> None:
    if doc["state"] not in UNPAID_FAMILY:
        raise wrong_state(f"a billogram in state {doc['state']} cannot be changed")


def apply(sandbox: Sandbox, old: Json, doc: Json) -> None:
    """Creates the further invoice. `doc` is `old` with its new values."""
    now = sandbox.clock.now()
    doc.setdefault("_first", {key: old[key] for key in INVOICED_KEYS})
    doc["_invoiced"] = invoiced_sums(old)
    update_sums(doc)
    events.publish(sandbox, doc, "DataChange", now)
    was, costs = current_cost(old), current_cost(doc)
    difference = costs["total"] - was["total"]
    if difference >= 0:
        doc["_invoiced"] = _with_difference(doc["_invoiced"], was, costs)
        update_sums(doc)
    if difference > 0:
        _publish_invoice(sandbox, doc, "InvoiceSent", difference, now)
    elif difference < 0:
        _credit(sandbox, doc, -difference, now)
    elif any(old[key] != doc[key] for key in PRINTED_KEYS):
        letter = delivery.new_letter(doc, doc["invoice_no"], doc["delivery_method"])
        events.publish(sandbox, doc, "NewInvoicePDF", now, letter)
    if doc["state"] in UNPAID_FAMILY:
        schedule.update(sandbox, doc, now)
    billograms.save(sandbox, doc, now)


def _with_difference(so_far: Json, was: Json, costs: Json) -> Json:
    return {name: amount + costs[name] - was[name] for name, amount in so_far.items()}


def _credit(sandbox: Sandbox, doc: Json, amount: Decimal, at: datetime) -> None:
    if amount > settlement.uncredited(doc):
        raise invalid("the credit invoices would exceed the invoices", "items")
    doc["detailed_sums"]["credited_sum"] -= amount
    update_sums(doc)
    _publish_invoice(sandbox, doc, "Credit", amount, at)
    if doc["remaining_sum"] <= 0:
        settlement.end(sandbox, doc, CREDITED, at)
    settlement.write_off_automatically(sandbox, doc, at)


def _publish_invoice(sandbox: Sandbox, doc: Json, kind: str, amount: Decimal, at: datetime) -> None:
    letter = delivery.new_letter(doc, billograms.new_invoice_no(sandbox, doc["id"]), doc["delivery_method"])
    events.publish(sandbox, doc, kind, at, letter | {"amount": amount} | billograms.current_sums(doc))
