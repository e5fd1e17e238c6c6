"""What a reader can do on the page: pay, write, have the invoice sent another way. Each answers with the name of the
notice that the page then shows."""

from billogram_sandbox.call import Call
from billogram_sandbox.control_plane import paying
from billogram_sandbox.core.documents import Json, merged
from billogram_sandbox.life import messages, sending, settlement
from billogram_sandbox.reader import forms
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.states import UNPAID_FAMILY


def pay(call: Call, doc: Json, sent: forms.Fields) -> str:
    remaining = hundredths(doc["remaining_sum"])
    if remaining <= 0:
        return "paid_already"
    if doc["state"] not in UNPAID_FAMILY:
        return "not_here"
    _take(call, doc, forms.payment(sent, remaining))
    return "paid"


def write(call: Call, doc: Json, sent: forms.Fields) -> str:
    messages.ask(call.sandbox, doc, forms.message(sent))
    return "asked"


def send_again(call: Call, doc: Json, sent: forms.Fields) -> str:
    """To the address that the reader gives, which is the billogram's from then on."""
    if doc["state"] not in UNPAID_FAMILY:
        return "over_already"
    wanted = forms.channel(sent)
    doc["customer"] = merged(doc["customer"], wanted.change)
    sending.resend(call, doc, {"method": wanted.method})
    return "sent"


def _take(call: Call, doc: Json, wanted: forms.Payment) -> None:
    """The one place where the page moves money."""
    payer = doc["customer"]["name"]
    if wanted.method == "bankgiro":
        how = {"manual": False, "payer_name": payer, "payment_type": wanted.method}
        settlement.pay(call.sandbox, doc, wanted.amount, how)
    else:
        asked = paying.start(call, doc, wanted.method, wanted.amount)
        paying.settle(call, asked["id"], "paid", payer)
