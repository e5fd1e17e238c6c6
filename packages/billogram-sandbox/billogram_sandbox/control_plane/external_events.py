"""Events from outside: payments, recalls, delivery outcomes, the factoring partner's decision."""

from typing import Literal

from billogram_sandbox.control_plane import payment_requests
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import ControlError
from billogram_sandbox.lifecycle import delivery, factoring, settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.states import FACTORING, FACTORING_DENIED, UNATTESTED
from billogram_sandbox.shapes.values import Amount, Shape, parse


class NewPayment(Shape):
    amount: Amount | None = None
    payer_name: str | None = None
    method: Literal["bankgiro", "swish", "autogiro", "card"] = "bankgiro"


class NewPaymentRequest(Shape):
    method: payment_requests.PayMethod
    amount: Amount | None = None


class RequestOutcome(Shape):
    outcome: payment_requests.Outcome
    payer_name: str | None = None


class DeliveryOutcome(Shape):
    outcome: Literal["delivered", "opened", "failed"]


class FactoringOutcome(Shape):
    outcome: Literal["sold", "denied"]


def pay(context: RequestContext) -> Json:
    """Settled billograms receive payments too, drafts do not."""
    wanted, doc = parse(NewPayment, context.body), _load_sent(context)
    amount = wanted.amount or doc["remaining_sum"]
    if amount <= 0:
        raise ControlError(409, "nothing remains to be paid; give an amount")
    how = {"manual": False, "payer_name": wanted.payer_name, "payment_type": wanted.method}
    settlement.pay(context.sandbox, doc, amount, how)
    return billograms.public_document(context, doc)


def create_payment_request(context: RequestContext) -> Json:
    wanted, doc = parse(NewPaymentRequest, context.body), _load_sent(context)
    return payment_requests.create(context, doc, wanted.method, wanted.amount)


def get_payment_request(context: RequestContext) -> Json:
    return payment_requests.find(context.sandbox, context.path["id"])


def settle_payment_request(context: RequestContext) -> Json:
    wanted = parse(RequestOutcome, context.body)
    return payment_requests.settle(context, context.path["id"], wanted.outcome, wanted.payer_name)


def recall(context: RequestContext) -> Json:
    doc = _load_sent(context)
    payment = settlement.last_recallable_payment(context.sandbox, doc)
    if payment is None:
        raise ControlError(409, "no payment can be recalled")
    settlement.recall(context.sandbox, doc, payment)
    return billograms.public_document(context, doc)


def set_delivery_outcome(context: RequestContext) -> Json:
    wanted, doc = parse(DeliveryOutcome, context.body), _load_sent(context)
    if doc["delivery_method"] == "DoNotNotify":
        raise ControlError(409, "it was sent with DoNotNotify, so nothing was delivered")
    delivery.publish_outcome(context.sandbox, doc, wanted.outcome, context.sandbox.clock.now())
    return billograms.public_document(context, doc)


def set_factoring_outcome(context: RequestContext) -> Json:
    wanted, doc = parse(FactoringOutcome, context.body), billograms.load_one(context.sandbox, context.path["id"])
    if doc["state"] != FACTORING:
        raise ControlError(409, f"no decision is possible in state {doc['state']}")
    factoring.OUTCOMES[wanted.outcome](context.sandbox, doc, context.sandbox.clock.now())
    return billograms.public_document(context, doc)


def _load_sent(context: RequestContext) -> Json:
    doc = billograms.load_one(context.sandbox, context.path["id"])
    if doc["state"] in (UNATTESTED, FACTORING, FACTORING_DENIED):
        raise ControlError(409, "it was not sent; send it first")
    return doc
