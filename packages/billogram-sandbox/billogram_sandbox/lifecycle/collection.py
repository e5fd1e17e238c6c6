"""Collection and its end. The collector's fees are in its own books and never add to the billogram's sums.

    step                    from                        to               events
    collect, or schedule    the unpaid family, late     Collecting       Collection
    the next day            Collecting                  Collection       CollectionStatusUpdate
    an instalment plan      Collection                  the same state   CollectionStatusUpdate
    paid, a part            Collection                  the same state   CollectorPayment
    paid, the rest          Collection                  Paid             CollectorPayment, BillogramEnded
    ended                   Collection                  CollectorEnded   CollectionEnded, BillogramEnded
    cancelled               Collecting, Collection      as it was late   CollectionCancelled

The debtor owes the collector the claim and its fees: one for the demand once it is in Collection, one for a plan. What
the collector receives covers the claim first, then its fees. It passes on the claim and any excess.
"""

from datetime import datetime
from decimal import Decimal

from billogram_sandbox.account import web_settings
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.lifecycle import lateness, schedule, settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules import statute
from billogram_sandbox.rules.states import COLLECTING, COLLECTION, COLLECTOR_ENDED
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import NoArguments
from billogram_sandbox.shapes.values import parse

EMPTY_BOOKS: Json = {
    "collection_fee": Decimal(0),
    "plan_fee": Decimal(0),
    "received": Decimal(0),
    "passed_on": Decimal(0),
}


def collect(context: RequestContext, doc: Json, body: Json) -> None:
    parse(NoArguments, body)
    now = context.sandbox.clock.now()
    start_collection(context.sandbox, doc, now)
    schedule.update(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def start_collection(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc |= {"state": COLLECTING, "_collecting_on": str(civil_day(at)), "_collector": EMPTY_BOOKS}
    events.publish(sandbox, doc, "Collection", at, _collector_case(doc) | {"amount": doc["remaining_sum"]})


def hand_over(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["state"] = COLLECTION
    usual = _usual_fee(sandbox, doc, "collection_fee")
    doc["_collector"] = books(doc) | {"collection_fee": statute.collection_fee(doc, usual)}
    events.publish(sandbox, doc, "CollectionStatusUpdate", at, _collector_case(doc))


def pay(sandbox: Sandbox, doc: Json, amount: Decimal) -> None:
    claim = min(amount, Decimal(doc["remaining_sum"]))
    fees, before = min(amount - claim, fees_left(doc)), books(doc)
    received = {"received": before["received"] + amount, "passed_on": before["passed_on"] + amount - fees}
    doc["_collector"] = before | received
    settlement.pay_by_collector(sandbox, doc, amount - fees)


def start_plan(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["_collector"] = books(doc) | {"plan_fee": _usual_fee(sandbox, doc, "plan_fee")}
    events.publish(sandbox, doc, "CollectionStatusUpdate", at, _collector_case(doc) | {"full_status": "PaymentPlan"})


def end(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    events.publish(sandbox, doc, "CollectionEnded", at, _collector_case(doc))
    settlement.end(sandbox, doc, COLLECTOR_ENDED, at)


def cancel(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    lateness.reopen(sandbox, doc, at)
    events.publish(sandbox, doc, "CollectionCancelled", at, _collector_case(doc))


def books(doc: Json) -> Json:
    return EMPTY_BOOKS | {name: Decimal(value) for name, value in doc.get("_collector", {}).items()}


def fees_left(doc: Json) -> Decimal:
    own = books(doc)
    return Decimal(own["collection_fee"] + own["plan_fee"] - (own["received"] - own["passed_on"]))


def _collector_case(doc: Json) -> Json:
    return {"collector_method": "sandbox", "collector_reference": doc["id"], "full_status": doc["state"]}


def _usual_fee(sandbox: Sandbox, doc: Json, name: str) -> Decimal:
    return Decimal(web_settings.load(sandbox.database)[name] if doc["currency"] == statute.CURRENCY else 0)
