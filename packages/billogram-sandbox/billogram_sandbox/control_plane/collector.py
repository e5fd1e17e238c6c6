"""The collector at the control plane: what it says of a billogram, and its own books, which the API never shows."""

from typing import Literal

from billogram_sandbox.call import Call
from billogram_sandbox.control_plane.control import Refusal
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import billograms, collection
from billogram_sandbox.rules.states import AT_COLLECTOR, COLLECTION, UNATTESTED
from billogram_sandbox.shapes.values import Amount, Shape, read


class Word(Shape):
    outcome: Literal["paid", "plan", "ended", "cancelled"]
    amount: Amount | None = None


def tell(call: Call) -> Json:
    """All but that it cancels it can say only once it has confirmed."""
    wanted, doc = read(Word, call.body), _sent(call)
    if doc["state"] not in AT_COLLECTOR or (wanted.outcome != "cancelled" and doc["state"] != COLLECTION):
        raise Refusal(409, f"the collector cannot say so in state {doc['state']}")
    if wanted.outcome == "plan" and collection.books(doc)["plan_fee"]:
        raise Refusal(409, "there is a plan already")
    if wanted.outcome == "paid":
        due = doc["remaining_sum"] + collection.fees_left(doc)
        collection.pay(call.sandbox, doc, wanted.amount or due)
    else:
        now = call.sandbox.clock.now()
        WORDS[wanted.outcome](call.sandbox, doc, now)
        billograms.save(call.sandbox, doc, now)
    return billograms.full(call, doc)


WORDS = {"plan": collection.plan, "ended": collection.end, "cancelled": collection.cancel}


def books(call: Call) -> Json:
    doc = _sent(call)
    if "_collector" not in doc:
        raise Refusal(409, "it never was at the collector")
    kept = collection.books(doc)
    still = {"claim": doc["remaining_sum"], "fees_left": collection.fees_left(doc)}
    return kept | {"kept": kept["received"] - kept["passed_on"]} | still


def _sent(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    if doc["state"] == UNATTESTED:
        raise Refusal(409, "nothing happens to a draft: send it first")
    return doc
