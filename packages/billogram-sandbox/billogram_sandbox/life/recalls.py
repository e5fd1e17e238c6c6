"""A payment that was taken back: what is owed again, and the callback of its own kind that tells of it.

The callback's shape is that of Billogram's page on PaymentRecalled: it has neither `billogram`, `event`, nor `custom`
at the top.
"""

import uuid
from datetime import datetime
from decimal import Decimal

from billogram_sandbox.callbacks import events, outbox
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import billograms, lateness
from billogram_sandbox.rules.money import sum_up
from billogram_sandbox.rules.states import REOPENED_BY_RECALL
from billogram_sandbox.sandbox import Sandbox

KIND = "PaymentRecalled"


def last_payment(sandbox: Sandbox, doc: Json) -> Json | None:
    """The last one that is there still. What the creditor registered can't be taken back."""
    recalled: set[str] = set()
    for event in events.of_kinds(sandbox, doc["id"], ("Payment", KIND)):
        if event["type"] == KIND:
            recalled |= set(event["data"]["related_payment_event_uuids"])
        elif not event["data"]["manual"] and event["event_uuid"] not in recalled:
            return event
    return None


def recall(sandbox: Sandbox, doc: Json, payment: Json) -> None:
    now, amount = sandbox.clock.now(), Decimal(payment["data"]["amount"])
    doc["detailed_sums"]["paid_sum"] += amount
    sum_up(doc)
    if not doc["detailed_sums"]["paid_sum"]:
        doc["flags"] = sorted(set(doc["flags"]) - {"partly paid"})
    if doc["remaining_sum"] > 0 and doc["state"] in REOPENED_BY_RECALL:
        lateness.reopen(sandbox, doc, now)
    data = {"recalled_amount": amount, "related_payment_event_uuids": [payment["event_uuid"]]}
    event = events.add(sandbox, doc, KIND, now, data)
    outbox.queue(sandbox, doc, _body(doc, event, payment, now))
    billograms.save(sandbox, doc, now)


def _body(doc: Json, event: Json, payment: Json, at: datetime) -> Json:
    amount = event["data"]["recalled_amount"]
    told = {key: doc[key] for key in ("id", "state", "invoice_no")} | {"remaining_amount": doc["remaining_sum"]}
    recalled = {
        "incoming_payment_id": str(uuid.uuid4()),
        "executed_on": str(civil_day(at)),
        "message": "Refund Request By End Customer",
        "payment_schema": {"code": payment["data"]["payment_type"].upper()},
        "total_amount": amount,
        "fee": 0,
        "payables": [{"type": "Billogram", "billogram": told | {"event": event}}],
    }
    return outbox.envelope(KIND, at) | {"payment_recall": recalled}
