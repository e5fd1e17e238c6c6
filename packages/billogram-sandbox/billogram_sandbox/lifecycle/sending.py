"""Sends a draft: sets its dates, numbers, and link, and schedules what follows."""

from billogram_sandbox.account import web_settings
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day, format_timestamp
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import Path
from billogram_sandbox.lifecycle import delivery, schedule, settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.ocr import ocr_number
from billogram_sandbox.rules.states import ENDED, UNPAID
from billogram_sandbox.shapes.command import Resend, Send
from billogram_sandbox.shapes.values import parse

OCR_BASE = 10_000_000
TOKEN_LENGTH = 22  # over 128 bits: the link is the only credential of the page. Billogram's has five characters


def send(context: RequestContext, doc: Json, body: Json, path: Path | None = None) -> None:
    """`path` locates the body within the request, for errors."""
    method = parse(Send, body).method
    delivery.require_deliverable(doc["customer"], method, path)
    attest(context, doc, method)
    now, letter = context.sandbox.clock.now(), delivery.new_letter(doc, doc["invoice_no"], method)
    doc["state"] = UNPAID
    events.publish(context.sandbox, doc, "BillogramSent", now, letter | billograms.current_sums(doc))
    if doc["total_sum"] > 0:
        schedule.update(context.sandbox, doc, now)
    else:
        settlement.end(context.sandbox, doc, ENDED, now)
    billograms.save(context.sandbox, doc, now)


def resend(context: RequestContext, doc: Json, body: Json) -> None:
    method = delivery.resend_method(doc, parse(Resend, body).method)
    now = context.sandbox.clock.now()
    delivery.switch_method(doc, method, civil_day(now))
    schedule.update(context.sandbox, doc, now)
    events.publish(context.sandbox, doc, "Resent", now, delivery.new_letter(doc, doc["invoice_no"], method))
    billograms.save(context.sandbox, doc, now)


def attest(context: RequestContext, doc: Json, method: str) -> None:
    """Sets dates, invoice number, OCR number, and URL."""
    billograms.require_dates(doc, context.sandbox.clock.today())
    doc |= billograms.dates(doc, context.sandbox.clock.today())
    if doc["invoice_no"] is None:
        doc["invoice_no"] = billograms.new_invoice_no(context.sandbox, doc["id"])
    ocr = ocr_number(str(OCR_BASE + doc["invoice_no"]))
    url = f"/r/{ocr}/{billograms.random_token(TOKEN_LENGTH)}"
    attested = format_timestamp(context.sandbox.clock.now())
    doc |= {"ocr_number": ocr, "url": url, "attested_at": attested, "delivery_method": method}
    _copy_account_rules(context, doc, method)


def _copy_account_rules(context: RequestContext, doc: Json, method: str) -> None:
    """The invoice keeps the account's current rules for reminders, fallbacks, and collection."""
    own, today = web_settings.load(context.sandbox.database), context.sandbox.clock.today()
    doc |= {"_sent_on": str(today), "_soft_reminders": own["soft_reminders"], "_fallbacks": own["fallbacks"]}
    doc["_reminder_rules"] = {name: own[name] for name in web_settings.REMINDER_RULES}
    collection = doc["automatic_collection"]
    is_unset = collection["use_default_settings"] is None and collection["delay_days"] is None
    if collection["use_default_settings"] or is_unset:
        doc["automatic_collection"] = collection | own["automatic_collection"]
    if method != "DoNotNotify":
        delivery.switch_method(doc, delivery.first_method(method), today)
