"""What a reader can do on the page: pay, write, have the invoice sent another way."""

from decimal import Decimal

from billogram_sandbox import billograms, delivery, events, messages, settlement
from billogram_sandbox.documents import Json, merged
from billogram_sandbox.reader import forms
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.states import UNPAID_FAMILY


def pay(sandbox: Sandbox, doc: Json, sent: forms.Fields) -> str:
    """The answer is the name of the notice that the page then shows."""
    remaining = Decimal(doc["remaining_sum"])
    if doc["state"] not in UNPAID_FAMILY or remaining <= 0:
        return "paid_already"
    wanted = forms.payment(sent, remaining)
    _take(sandbox, doc, wanted)
    return "paid"


def write(sandbox: Sandbox, doc: Json, sent: forms.Fields) -> str:
    messages.ask(sandbox, doc, forms.message(sent))
    return "asked"


def send_again(sandbox: Sandbox, doc: Json, sent: forms.Fields) -> str:
    """To the address that the reader gives, which is the billogram's from then on."""
    if doc["state"] not in UNPAID_FAMILY:
        return "paid_already"
    wanted = forms.channel(sent)
    doc["customer"] = merged(doc["customer"], wanted.change)
    now = sandbox.clock.now()
    events.record(sandbox, doc, "Resent", now, delivery.letter(doc, doc["invoice_no"], wanted.method))
    billograms.save(sandbox, doc, now)
    return "sent"


def _take(sandbox: Sandbox, doc: Json, wanted: forms.Payment) -> None:
    """The one place where the page moves money."""
    how = {"manual": False, "payer_name": doc["customer"]["name"], "payment_type": wanted.method}
    settlement.pay(sandbox, doc, wanted.amount, how)
