"""Sending a billogram: the draft becomes an invoice, with its dates, numbers, and link. Time is told what to watch."""

from billogram_sandbox.account import web_settings
from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day, stamp
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import Path
from billogram_sandbox.life import agenda, billograms, delivery, settlement
from billogram_sandbox.rules.ocr import ocr_number
from billogram_sandbox.rules.states import ENDED, UNPAID
from billogram_sandbox.shapes.command import Resend, Send
from billogram_sandbox.shapes.values import read

OCR_BASE = 10_000_000
TOKEN_LENGTH = 22  # over 128 bits, for the link is the key to the page; Billogram's own has five characters


def send(call: Call, doc: Json, body: Json, path: Path | None = None) -> None:
    """`path` is where the body stands in the request."""
    method = read(Send, body).method
    delivery.require_deliverable(doc["customer"], method, path)
    attest(call, doc, method)
    now, letter = call.sandbox.clock.now(), delivery.letter(doc, doc["invoice_no"], method)
    doc["state"] = UNPAID
    events.record(call.sandbox, doc, "BillogramSent", now, letter | billograms.told_sums(doc))
    if doc["total_sum"] > 0:
        agenda.watch(call.sandbox, doc, now)
    else:
        settlement.end(call.sandbox, doc, ENDED, now)
    billograms.save(call.sandbox, doc, now)


def resend(call: Call, doc: Json, body: Json) -> None:
    method = delivery.method_again(doc, read(Resend, body).method)
    now = call.sandbox.clock.now()
    delivery.goes_by(doc, method, civil_day(now))
    agenda.watch(call.sandbox, doc, now)
    events.record(call.sandbox, doc, "Resent", now, delivery.letter(doc, doc["invoice_no"], method))
    billograms.save(call.sandbox, doc, now)


def attest(call: Call, doc: Json, method: str) -> None:
    """Its dates, number, reference, and address are set now."""
    billograms.require_dates(doc, call.sandbox.clock.today())
    doc |= billograms.dates(doc, call.sandbox.clock.today())
    if doc["invoice_no"] is None:
        doc["invoice_no"] = billograms.new_invoice_no(call.sandbox, doc["id"])
    ocr = ocr_number(str(OCR_BASE + doc["invoice_no"]))
    url = f"/r/{ocr}/{billograms.token(TOKEN_LENGTH)}"
    attested = stamp(call.sandbox.clock.now())
    doc |= {"ocr_number": ocr, "url": url, "attested_at": attested, "delivery_method": method}
    _keep_rules(call, doc, method)


def _keep_rules(call: Call, doc: Json, method: str) -> None:
    """What the account says now of reminders and fallbacks holds for this invoice, whatever it says later."""
    own, today = web_settings.load(call.sandbox.database), call.sandbox.clock.today()
    doc |= {"_sent_on": str(today), "_soft_reminders": own["soft_reminders"], "_fallbacks": own["fallbacks"]}
    doc["_reminder_rules"] = {name: own[name] for name in web_settings.REMINDER_RULES}
    collection = doc["automatic_collection"]
    says_nothing = collection["use_default_settings"] is None and collection["delay_days"] is None
    if collection["use_default_settings"] or says_nothing:
        doc["automatic_collection"] = collection | own["automatic_collection"]
    if method != "DoNotNotify":
        delivery.goes_by(doc, delivery.first_way(method), today)
