"""How an invoice reaches its recipient: what each way needs, the letter that goes, and what may become of it.

    way                  delivered          opened             failed
    Email                DeliveryAccepted   DeliveryAccepted   DeliveryFailed
    SMS                  DeliveryAccepted   DeliveryAccepted   DeliverySmsFailed
    Letter               LetterSent         DeliveryAccepted   DeliveryFailed
    Efaktura, Einvoice   EfakturaSent       DeliveryAccepted   EfakturaFailed
    EDI                  InvoiceSent        DeliveryAccepted   DeliveryFailed

`opened` tells of the recipient's address by `ip`, which is null otherwise. Of Email+Letter the first way counts. The
outcome is that of the way that it went last: sent, sent again, or by a fallback.
"""

import secrets
from collections.abc import Callable
from datetime import date, datetime

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import Path, invalid
from billogram_sandbox.life import agenda, billograms
from billogram_sandbox.rules.states import OPEN
from billogram_sandbox.sandbox import Sandbox

READER_IP = "192.0.2.1"
FAILED_FLAG = "delivery failed"
AGAIN = ("Email", "Letter", "SMS")
REASON = "the recipient could not be reached"


def letter(doc: Json, invoice_no: int, method: str) -> Json:
    letter_id = f"{doc['id']}-{secrets.token_hex(14)}"
    return {"invoice_no": invoice_no, "letter_id": letter_id, "delivery_method": method}


def require_deliverable(customer: Json, method: str, path: Path | None = None) -> None:
    lack = lack_of(customer, method)
    if lack:
        raise invalid(f"invalid delivery method, {lack}", "method", path)


def lack_of(customer: Json, method: str) -> str | None:
    """What each way needs."""
    address = customer["address"]
    street = address["street_address"] or address["address_line_1"]
    there = {
        "Letter": (street and address["zipcode"] and address["city"], "address missing"),
        "Email": (customer["email"], "e-mail address missing"),
        "SMS": (customer["phone"], "phone missing"),
    }
    for way in method.split("+"):
        value, lack = there.get(way, (True, ""))
        if not value:
            return lack
    return None


def method_again(doc: Json, wanted: str | None) -> str:
    method = wanted or usual_method_again(doc)
    require_deliverable(doc["customer"], method)
    return method


def usual_method_again(doc: Json) -> str:
    """That by which it went last, of those that can be used again."""
    ways = doc["_way"]["tried"] if "_way" in doc else [first_way(doc["delivery_method"])]
    for way in reversed(ways):
        if way in AGAIN and lack_of(doc["customer"], way) is None:
            return str(way)
    return "Email" if doc["customer"]["email"] else "Letter"


def goes_by(doc: Json, way: str, day: date) -> None:
    """From now on outcomes are those of this way, and so are the rules for a fallback."""
    tried = [*doc.get("_way", {}).get("tried", ()), way]
    rules = doc.get("_fallbacks", {}).get(way, [])
    doc["_way"] = {"way": way, "on": str(day), "outcome": None, "tried": tried, "rules": rules}


def tell_outcome(sandbox: Sandbox, doc: Json, outcome: str, at: datetime) -> None:
    kind, data = OUTCOMES[outcome].get(_last_way(doc), OUTCOMES[outcome]["Email"])
    if "_way" in doc and doc["_way"]["outcome"] != "opened":
        doc["_way"] = doc["_way"] | {"outcome": outcome}
        if doc["state"] in OPEN:
            agenda.watch(sandbox, doc, at)
    flags = set(doc["flags"]) - {FAILED_FLAG} | ({FAILED_FLAG} if outcome == "failed" else set())
    doc["flags"] = sorted(flags)
    events.record(sandbox, doc, kind, at, data(doc))
    billograms.save(sandbox, doc, at)


def first_way(method: str) -> str:
    return method.split("+", maxsplit=1)[0]


def _last_way(doc: Json) -> str:
    return str(doc["_way"]["way"]) if "_way" in doc else first_way(doc["delivery_method"])


def _accepted(doc: Json) -> Json:
    return {"customer_email": doc["customer"]["email"], "ip": None, "type": None, "message": None}


def _efaktura(doc: Json) -> Json:
    return {"recipient_identifier": doc["regional_sweden"]["efaktura_recipient_identifier"], "bankgiro": None}


def _sent(doc: Json) -> Json:
    return letter(doc, doc["invoice_no"], _last_way(doc))


def _letter_sent(doc: Json) -> Json:
    return {"letter_id": _sent(doc)["letter_id"], "scanning_central": None}


def _sms_failed(doc: Json) -> Json:
    return {"customer_phone": doc["customer"]["phone"], "message": REASON}


Outcome = tuple[str, Callable[[Json], Json]]
ACCEPTED: Outcome = ("DeliveryAccepted", _accepted)
OPENED: Outcome = ("DeliveryAccepted", lambda doc: _accepted(doc) | {"ip": READER_IP})
FAILED: Outcome = ("DeliveryFailed", lambda doc: _accepted(doc) | {"message": REASON})
EFAKTURA_SENT: Outcome = ("EfakturaSent", _efaktura)
EFAKTURA_FAILED: Outcome = ("EfakturaFailed", lambda doc: _efaktura(doc) | {"error_status": REASON})
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
