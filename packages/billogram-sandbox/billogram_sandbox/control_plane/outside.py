"""What readers, banks, and carriers do, of which the API tells only afterwards: the control plane's deeds."""

from typing import Literal

from billogram_sandbox.call import Call
from billogram_sandbox.control_plane import paying
from billogram_sandbox.control_plane.control import Refusal
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import billograms, delivery, factoring, recalls, settlement
from billogram_sandbox.rules.states import FACTORING, FACTORING_DENIED, UNATTESTED
from billogram_sandbox.shapes.values import Amount, Shape, read


class Pay(Shape):
    amount: Amount | None = None
    payer_name: str | None = None
    method: Literal["bankgiro", "swish", "autogiro", "card"] = "bankgiro"


class Request(Shape):
    method: paying.PayMethod
    amount: Amount | None = None


class Settled(Shape):
    outcome: paying.Outcome
    payer_name: str | None = None


class Delivery(Shape):
    outcome: Literal["delivered", "opened", "failed"]


class Factoring(Shape):
    outcome: Literal["sold", "denied"]


def pay(call: Call) -> Json:
    """Money comes when it comes: also to a billogram that is settled already, but not to a draft."""
    wanted, doc = read(Pay, call.body), _sent(call)
    amount = wanted.amount or doc["remaining_sum"]
    if amount <= 0:
        raise Refusal(409, "nothing remains to be paid: say which amount")
    how = {"manual": False, "payer_name": wanted.payer_name, "payment_type": wanted.method}
    settlement.pay(call.sandbox, doc, amount, how)
    return billograms.full(call, doc)


def request_payment(call: Call) -> Json:
    wanted, doc = read(Request, call.body), _sent(call)
    return paying.start(call, doc, wanted.method, wanted.amount)


def requested_payment(call: Call) -> Json:
    return paying.find(call.sandbox, call.path["id"])


def settle_request(call: Call) -> Json:
    wanted = read(Settled, call.body)
    return paying.settle(call, call.path["id"], wanted.outcome, wanted.payer_name)


def recall(call: Call) -> Json:
    doc = _sent(call)
    payment = recalls.last_payment(call.sandbox, doc)
    if payment is None:
        raise Refusal(409, "there is no payment that could be recalled")
    recalls.recall(call.sandbox, doc, payment)
    return billograms.full(call, doc)


def tell_delivery(call: Call) -> Json:
    wanted, doc = read(Delivery, call.body), _sent(call)
    if doc["delivery_method"] == "DoNotNotify":
        raise Refusal(409, "nothing was delivered: it was sent with DoNotNotify")
    delivery.tell_outcome(call.sandbox, doc, wanted.outcome, call.sandbox.clock.now())
    return billograms.full(call, doc)


def tell_factoring(call: Call) -> Json:
    wanted, doc = read(Factoring, call.body), billograms.load_one(call.sandbox, call.path["id"])
    if doc["state"] != FACTORING:
        raise Refusal(409, f"there is nothing to answer in state {doc['state']}")
    factoring.ANSWERS[wanted.outcome](call.sandbox, doc, call.sandbox.clock.now())
    return billograms.full(call, doc)


def _sent(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    if doc["state"] in (UNATTESTED, FACTORING, FACTORING_DENIED):
        raise Refusal(409, "nothing happens to what was not sent: send it first")
    return doc
