"""Fallback chains: an invoice that did not reach its reader one way goes another, as the account says. None by default.

    a rule for a way                                    holds when, so many days after the sending by that way,
    {"after_days": 2, "if": "failed", "way": "SMS"}     it failed
    {"after_days": 5, "if": "unopened", "way": "SMS"}   nobody opened it, or it failed

The rules of the way that it went last count, the earliest first; no way is gone twice, and nothing more is sent once it
is settled or at the collector. The new sending is told by Resent with `original_delivery_method`. A way for which the
recipient has no address counts as failed, and so its own rules come next.
"""

from datetime import datetime

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import agenda, delivery
from billogram_sandbox.sandbox import Sandbox


def fall_back(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    found = agenda.fallback_rule(doc)
    assert found is not None
    way, before = found[1]["way"], doc["_way"]["way"]
    delivery.goes_by(doc, way, civil_day(at))
    lack = delivery.lack_of(doc["customer"], way)
    if lack:
        doc["_way"]["outcome"] = "failed"
        kind, data = NOT_ACCEPTED[way]
        events.record(sandbox, doc, kind, at, {data: None, "message": lack})
        return
    redirected = {"original_delivery_method": before, "delivery_redirected": True}
    events.record(sandbox, doc, "Resent", at, delivery.letter(doc, doc["invoice_no"], way) | redirected)


NOT_ACCEPTED = {
    "SMS": ("SmsNotAccepted", "customer_phone"),
    "Email": ("EmailNotAccepted", "customer_email"),
    "Letter": ("DeliveryFailed", "customer_email"),
}
