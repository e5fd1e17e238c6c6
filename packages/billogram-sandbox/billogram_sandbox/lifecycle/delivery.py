"""Delivery methods: the data that each needs, the events of its outcomes, and fallbacks to another method.

    method               delivered          opened             failed
    Email                DeliveryAccepted   DeliveryAccepted   DeliveryFailed
    SMS                  DeliveryAccepted   DeliveryAccepted   DeliverySmsFailed
    Letter               LetterSent         DeliveryAccepted   DeliveryFailed
    Efaktura, Einvoice   EfakturaSent       DeliveryAccepted   EfakturaFailed
    EDI                  InvoiceSent        DeliveryAccepted   DeliveryFailed

`opened` has the recipient's `ip`, which is null otherwise. Of Email+Letter the first method counts. An outcome is that
of the last method: sent, resent, or by a fallback.

    an account's fallback rule for a method             holds so many days after sending by that method if
    {"after_days": 2, "if": "failed", "way": "SMS"}     it failed
    {"after_days": 5, "if": "unopened", "way": "SMS"}   it was not opened, or it failed

The rules of the last method apply, the earliest first. No method is used twice, and nothing is sent once the invoice is
settled or at the collector. A method without an address counts as failed, so its own rules follow.
"""

import secrets
from collections.abc import Callable
from datetime import date, datetime

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import Path, invalid
from billogram_sandbox.lifecycle import schedule
from billogram_sandbox.registers import billograms
from billogram_sandbox.rules.states import OPEN
from billogram_sandbox.sandbox import Sandbox

RECIPIENT_IP = "192.0.2.1"
FAILED_FLAG = "delivery failed"
RESENDABLE = ("Email", "Letter", "SMS")
FAILURE_REASON = "the recipient could not be reached"


def new_letter(doc: Json, invoice_no: int, method: str) -> Json:
    letter_id = f"{doc['id']}-{secrets.token_hex(14)}"
    return {"invoice_no": invoice_no, "letter_id": letter_id, "delivery_method": method}


def require_deliverable(customer: Json, method: str, path: Path | None = None) -> None:
    lack = missing_data(customer, method)
    if lack:
        raise invalid(f"invalid delivery method, {lack}", "method", path)


def missing_data(customer: Json, method: str) -> str | None:
    """Names the data that the method needs and the customer lacks."""
    address = customer["address"]
    street = address["street_address"] or address["address_line_1"]
    needed = {
        "Letter": (street and address["zipcode"] and address["city"], "address missing"),
        "Email": (customer["email"], "e-mail address missing"),
        "SMS": (customer["phone"], "phone missing"),
    }
    for way in method.split("+"):
        value, lack = needed.get(way, (True, ""))
        if not value:
            return lack
    return None


def resend_method(doc: Json, wanted: str | None) -> str:
    method = wanted or default_resend_method(doc)
    require_deliverable(doc["customer"], method)
    return method


def default_resend_method(doc: Json) -> str:
    """The last method that can be used again."""
    ways = doc["_way"]["tried"] if "_way" in doc else [first_method(doc["delivery_method"])]
    for way in reversed(ways):
        if way in RESENDABLE and missing_data(doc["customer"], way) is None:
            return str(way)
    return "Email" if doc["customer"]["email"] else "Letter"


def switch_method(doc: Json, way: str, day: date) -> None:
    """Outcomes and fallback rules are those of this method from now on."""
    tried = [*doc.get("_way", {}).get("tried", ()), way]
    rules = doc.get("_fallbacks", {}).get(way, [])
    doc["_way"] = {"way": way, "on": str(day), "outcome": None, "tried": tried, "rules": rules}


def publish_outcome(sandbox: Sandbox, doc: Json, outcome: str, at: datetime) -> None:
    kind, data = OUTCOMES[outcome].get(_last_method(doc), OUTCOMES[outcome]["Email"])
    if "_way" in doc and doc["_way"]["outcome"] != "opened":
        doc["_way"] = doc["_way"] | {"outcome": outcome}
        if doc["state"] in OPEN:
            schedule.update(sandbox, doc, at)
    flags = set(doc["flags"]) - {FAILED_FLAG} | ({FAILED_FLAG} if outcome == "failed" else set())
    doc["flags"] = sorted(flags)
    events.publish(sandbox, doc, kind, at, data(doc))
    billograms.save(sandbox, doc, at)


def fall_back(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    found = schedule.fallback_rule(doc)
    assert found is not None
    way, before = found[1]["way"], doc["_way"]["way"]
    switch_method(doc, way, civil_day(at))
    lack = missing_data(doc["customer"], way)
    if lack:
        doc["_way"]["outcome"] = "failed"
        kind, data = NOT_ACCEPTED[way]
        events.publish(sandbox, doc, kind, at, {data: None, "message": lack})
        return
    redirected = {"original_delivery_method": before, "delivery_redirected": True}
    events.publish(sandbox, doc, "Resent", at, new_letter(doc, doc["invoice_no"], way) | redirected)


def first_method(method: str) -> str:
    return method.split("+", maxsplit=1)[0]


def _last_method(doc: Json) -> str:
    return str(doc["_way"]["way"]) if "_way" in doc else first_method(doc["delivery_method"])


def _accepted(doc: Json) -> Json:
    return {"customer_email": doc["customer"]["email"], "ip": None, "type": None, "message": None}


def _efaktura(doc: Json) -> Json:
    return {"recipient_identifier": doc["regional_sweden"]["efaktura_recipient_identifier"], "bankgiro": None}


def _sent(doc: Json) -> Json:
    return new_letter(doc, doc["invoice_no"], _last_method(doc))


def _letter_sent(doc: Json) -> Json:
    return {"letter_id": _sent(doc)["letter_id"], "scanning_central": None}


def _sms_failed(doc: Json) -> Json:
    return {"customer_phone": doc["customer"]["phone"], "message": FAILURE_REASON}


Outcome = tuple[str, Callable[[Json], Json]]
ACCEPTED: Outcome = ("DeliveryAccepted", _accepted)
OPENED: Outcome = ("DeliveryAccepted", lambda doc: _accepted(doc) | {"ip": RECIPIENT_IP})
FAILED: Outcome = ("DeliveryFailed", lambda doc: _accepted(doc) | {"message": FAILURE_REASON})
EFAKTURA_SENT: Outcome = ("EfakturaSent", _efaktura)
EFAKTURA_FAILED: Outcome = ("EfakturaFailed", lambda doc: _efaktura(doc) | {"error_status": FAILURE_REASON})
OUTCOMES: dict[str, dict[str, Outcome]] = {
    "delivered": {
        "Email": ACCEPTED,
        "SMS": ACCEPTED,
        "Letter": ("LetterSent", _letter_sent),
        "Efaktura": EFAKTURA_SENT,
        "Einvoice": EFAKTURA_SENT,
        "EDI": ("InvoiceSent", _sent),
    },
    "opened": {"Email": OPENED},
    "failed": {
        "Email": FAILED,
        "SMS": ("DeliverySmsFailed", _sms_failed),
        "Efaktura": EFAKTURA_FAILED,
        "Einvoice": EFAKTURA_FAILED,
    },
}
NOT_ACCEPTED = {
    "SMS": ("SmsNotAccepted", "customer_phone"),
    "Email": ("EmailNotAccepted", "customer_email"),
    "Letter": ("DeliveryFailed", "customer_email"),
}
