"""Selling a draft to the factoring partner, and the partner's decision.

    from          by                                                   to                 events
    Unattested    the command `sell`, or `sell` when it is created     Factoring          FactoringRequest
    Factoring     the next day begins, or the partner buys             Sold               BillogramSold, BillogramEnded
    Factoring     the partner refuses                                  FactoringDenied    FactoringDenied

It gets dates and OCR number immediately, and its invoice number when it is sold.
"""

from datetime import datetime

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import wrong_state
from billogram_sandbox.lifecycle import schedule, sending, settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.states import FACTORING, FACTORING_DENIED, SOLD
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import NoArguments
from billogram_sandbox.shapes.values import parse

DENIED_FLAG = "factoring denied"


def sell(context: RequestContext, doc: Json, body: Json) -> None:
    parse(NoArguments, body)
    if doc["total_sum"] <= 0:
        raise wrong_state("sell is not possible: its total is zero")
    sending.attest(context, doc, doc["delivery_method"])
    doc |= {"_invoice_no": doc["invoice_no"], "invoice_no": None, "state": FACTORING}
    now = context.sandbox.clock.now()
    events.publish(context.sandbox, doc, "FactoringRequest", now, _partner_case(doc) | {"sells_for": doc["total_sum"]})
    schedule.update(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def buy(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["invoice_no"] = doc.pop("_invoice_no")
    events.publish(sandbox, doc, "BillogramSold", at, _partner_case(doc) | {"sold_for": doc["total_sum"]})
    settlement.end(sandbox, doc, SOLD, at)
    billograms.save(sandbox, doc, at)


def deny(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc |= {"state": FACTORING_DENIED, "_wakes_at": None, "flags": sorted({*doc["flags"], DENIED_FLAG})}
    events.publish(sandbox, doc, "FactoringDenied", at, _partner_case(doc) | {"message": "the partner does not buy it"})
    billograms.save(sandbox, doc, at)


OUTCOMES = {"sold": buy, "denied": deny}


def _partner_case(doc: Json) -> Json:
    return {"factoring_method": "sandbox", "factoring_reference": doc["id"]}
