"""Selling a billogram: what a draft becomes, and the partner's answer.

    from          by                                                   to                 tells
    Unattested    the command `sell`, or `sell` when it is created     Factoring          FactoringRequest
    Factoring     the next day begins, or the partner buys             Sold               BillogramSold, BillogramEnded
    Factoring     the partner refuses                                  FactoringDenied    FactoringDenied

It has its dates and OCR number at once, and its invoice number when it is sold.
"""

from datetime import datetime

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import wrong_state
from billogram_sandbox.life import agenda, billograms, sending, settlement
from billogram_sandbox.rules.states import FACTORING, FACTORING_DENIED, SOLD
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Nothing
from billogram_sandbox.shapes.values import read

DENIED_FLAG = "factoring denied"


def sell(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    if doc["total_sum"] <= 0:
        raise wrong_state("sell is not possible: its total is zero")
    sending.attest(call, doc, doc["delivery_method"])
    doc |= {"_invoice_no": doc["invoice_no"], "invoice_no": None, "state": FACTORING}
    now = call.sandbox.clock.now()
    events.record(call.sandbox, doc, "FactoringRequest", now, _partner(doc) | {"sells_for": doc["total_sum"]})
    agenda.watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def buy(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["invoice_no"] = doc.pop("_invoice_no")
    events.record(sandbox, doc, "BillogramSold", at, _partner(doc) | {"sold_for": doc["total_sum"]})
    settlement.end(sandbox, doc, SOLD, at)
    billograms.save(sandbox, doc, at)


def deny(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc |= {"state": FACTORING_DENIED, "_wakes_at": None, "flags": sorted({*doc["flags"], DENIED_FLAG})}
    events.record(sandbox, doc, "FactoringDenied", at, _partner(doc) | {"message": "the partner does not buy it"})
    billograms.save(sandbox, doc, at)


ANSWERS = {"sold": buy, "denied": deny}


def _partner(doc: Json) -> Json:
    return {"factoring_method": "sandbox", "factoring_reference": doc["id"]}
