"""Collection and its end. The collector's fees are in its own books: they never add to the billogram's sums.

    what                    from                        to               tells
    collect, or the clock   the unpaid family, late     Collecting       Collection
    the next day            Collecting                  Collection       CollectionStatusUpdate
    an instalment plan      Collection                  no other state   CollectionStatusUpdate
    paid, a part            Collection                  no other state   CollectorPayment
    paid, the rest          Collection                  Paid             CollectorPayment, BillogramEnded
    ended                   Collection                  CollectorEnded   CollectionEnded, BillogramEnded
    cancelled               Collecting, Collection      as it was late   CollectionCancelled

The debtor owes the collector the claim and its fees: one for the demand once it is in Collection, one for a plan. What
it gets goes to the claim first, then to its fees; what is more than both it passes on, too.
"""

from datetime import datetime
from decimal import Decimal

from billogram_sandbox.account import web_settings
from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import agenda, billograms, lateness, settlement
from billogram_sandbox.rules import statute
from billogram_sandbox.rules.states import COLLECTING, COLLECTION, COLLECTOR_ENDED
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Nothing
from billogram_sandbox.shapes.values import read

NO_BOOKS: Json = {"collection_fee": Decimal(0), "plan_fee": Decimal(0), "received": Decimal(0), "passed_on": Decimal(0)}


def collect_now(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    now = call.sandbox.clock.now()
    collect(call.sandbox, doc, now)
    agenda.watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def collect(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc |= {"state": COLLECTING, "_collecting_on": str(civil_day(at)), "_collector": NO_BOOKS}
    events.record(sandbox, doc, "Collection", at, _case(doc) | {"amount": doc["remaining_sum"]})


def hand_over(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["state"] = COLLECTION
    usual = _usual_fee(sandbox, doc, "collection_fee")
    doc["_collector"] = books(doc) | {"collection_fee": statute.collection_fee(doc, usual)}
    events.record(sandbox, doc, "CollectionStatusUpdate", at, _case(doc))


def pay(sandbox: Sandbox, doc: Json, amount: Decimal) -> None:
    claim = min(amount, Decimal(doc["remaining_sum"]))
    fees, kept = min(amount - claim, fees_left(doc)), books(doc)
    received = {"received": kept["received"] + amount, "passed_on": kept["passed_on"] + amount - fees}
    doc["_collector"] = kept | received
    settlement.pay_by_collector(sandbox, doc, amount - fees)


def plan(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["_collector"] = books(doc) | {"plan_fee": _usual_fee(sandbox, doc, "plan_fee")}
    events.record(sandbox, doc, "CollectionStatusUpdate", at, _case(doc) | {"full_status": "PaymentPlan"})


def end(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    events.record(sandbox, doc, "CollectionEnded", at, _case(doc))
    settlement.end(sandbox, doc, COLLECTOR_ENDED, at)


def cancel(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    lateness.reopen(sandbox, doc, at)
    events.record(sandbox, doc, "CollectionCancelled", at, _case(doc))


def books(doc: Json) -> Json:
    return NO_BOOKS | {name: Decimal(value) for name, value in doc.get("_collector", {}).items()}


def fees_left(doc: Json) -> Decimal:
    kept = books(doc)
    return Decimal(kept["collection_fee"] + kept["plan_fee"] - (kept["received"] - kept["passed_on"]))


def _case(doc: Json) -> Json:
    return {"collector_method": "sandbox", "collector_reference": doc["id"], "full_status": doc["state"]}


def _usual_fee(sandbox: Sandbox, doc: Json, name: str) -> Decimal:
    return Decimal(web_settings.load(sandbox.database)[name] if doc["currency"] == statute.CURRENCY else 0)
