"""The forms of the page: pay, write a message, resend. Each returns the name of the notice to show."""

from billogram_sandbox.control_plane import payment_requests
from billogram_sandbox.core.documents import Json, merge
from billogram_sandbox.invoice_page import forms
from billogram_sandbox.lifecycle import sending, settlement
from billogram_sandbox.registers import messages
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.states import UNPAID_FAMILY


def pay(context: RequestContext, doc: Json, sent: forms.Fields) -> str:
    remaining = hundredths(doc["remaining_sum"])
    if remaining <= 0:
        return "paid_already"
    if doc["state"] not in UNPAID_FAMILY:
        return "not_here"
    _pay(context, doc, forms.payment(sent, remaining))
    return "paid"


def write_message(context: RequestContext, doc: Json, sent: forms.Fields) -> str:
    messages.receive(context.sandbox, doc, forms.message(sent))
    return "message_sent"


def resend(context: RequestContext, doc: Json, sent: forms.Fields) -> str:
    """To the given address, which replaces the billogram's."""
    if doc["state"] not in UNPAID_FAMILY:
        return "over_already"
    wanted = forms.channel(sent)
    doc["customer"] = merge(doc["customer"], wanted.change)
    sending.resend(context, doc, {"method": wanted.method})
    return "sent"


def _pay(context: RequestContext, doc: Json, wanted: forms.Payment) -> None:
    """The only code of the page that pays."""
    payer = doc["customer"]["name"]
    if wanted.method == "bankgiro":
        how = {"manual": False, "payer_name": payer, "payment_type": wanted.method}
        settlement.pay(context.sandbox, doc, wanted.amount, how)
    else:
        request = payment_requests.create(context, doc, wanted.method, wanted.amount)
        payment_requests.settle(context, request["id"], "paid", payer)
