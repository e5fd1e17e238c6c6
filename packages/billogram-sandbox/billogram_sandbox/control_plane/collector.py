"""The collector's reports on a billogram, and its books, which the API never shows."""

from typing import Literal

from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import ControlError
from billogram_sandbox.lifecycle import collection
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.states import AT_COLLECTOR, COLLECTION, UNATTESTED
from billogram_sandbox.shapes.values import Amount, Shape, parse


class CollectorReport(Shape):
    outcome: Literal["paid", "plan", "ended", "cancelled"]
    amount: Amount | None = None


def report(context: RequestContext) -> Json:
    """Before it has confirmed, a collector can only cancel."""
    wanted, doc = parse(CollectorReport, context.body), _sent(context)
    if doc["state"] not in AT_COLLECTOR or (wanted.outcome != "cancelled" and doc["state"] != COLLECTION):
        raise ControlError(409, f"the collector cannot report this in state {doc['state']}")
    if wanted.outcome == "plan" and collection.books(doc)["plan_fee"]:
        raise ControlError(409, "there is already a plan")
    if wanted.outcome == "paid":
        due = doc["remaining_sum"] + collection.fees_left(doc)
        collection.pay(context.sandbox, doc, wanted.amount or due)
    else:
        now = context.sandbox.clock.now()
        ACTIONS[wanted.outcome](context.sandbox, doc, now)
        billograms.save(context.sandbox, doc, now)
    return billograms.public_document(context, doc)


ACTIONS = {"plan": collection.start_plan, "ended": collection.end, "cancelled": collection.cancel}


def get_books(context: RequestContext) -> Json:
    doc = _sent(context)
    if "_collector" not in doc:
        raise ControlError(409, "it was never at the collector")
    books = collection.books(doc)
    claims = {"claim": doc["remaining_sum"], "fees_left": collection.fees_left(doc)}
    return books | {"kept": books["received"] - books["passed_on"]} | claims


def _sent(context: RequestContext) -> Json:
    doc = billograms.load_one(context.sandbox, context.path["id"])
    if doc["state"] == UNATTESTED:
        raise ControlError(409, "a draft has no collector; send it first")
    return doc
