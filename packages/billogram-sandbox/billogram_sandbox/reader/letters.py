"""Which document a letter was: the invoice, a reminder of it, or a credit invoice; and what stood on it then. What came
later changes none of them."""

from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.reader.sheet import Sheet, part, sheet
from billogram_sandbox.sandbox import Sandbox

INVOICE, REMINDER, CREDIT_INVOICE = "invoice", "reminder", "credit_invoice"
KINDS = {
    **dict.fromkeys(("BillogramSent", "Resent", "LetterSent", "InvoiceSent"), INVOICE),
    "ReminderSent": REMINDER,
    "Credit": CREDIT_INVOICE,
}
NO_FEES = Decimal(0)


@dataclass(frozen=True)
class Letter:
    """`kind` names its heading. `to_pay` is what the reader was asked for, with what was added by then."""

    kind: str
    invoice_no: int
    at: str
    due: str
    sheet: Sheet
    to_pay: Decimal
    fees: Decimal
    message: str


def letter(sandbox: Sandbox, doc: Json, letter_id: str | None = None, invoice_no: str | None = None) -> Letter | None:
    """Either names it; without both it is the invoice itself. None for what there is not."""
    told = events.of_kinds(sandbox, doc["id"], KINDS)
    meant = [event for event in told if _is_meant(event, doc, letter_id, invoice_no)]
    if not meant:
        return None
    event = meant[-1]
    if KINDS[event["type"]] == REMINDER:
        return _reminder(doc, event, [each for each in told[told.index(event) :] if each["type"] == event["type"]])
    return MAKERS[KINDS[event["type"]]](doc, event)


def _is_meant(event: Json, doc: Json, letter_id: str | None, invoice_no: str | None) -> bool:
    number = event["data"].get("invoice_no", doc["invoice_no"])
    if letter_id is not None and event["data"].get("letter_id") != letter_id:
        return False
    if invoice_no is not None:
        return str(number) == invoice_no and (letter_id is not None or KINDS[event["type"]] != REMINDER)
    return letter_id is not None or event["type"] == "BillogramSent"


def _invoice(doc: Json, event: Json) -> Letter:
    """One with a number of its own is for what was added later."""
    number, message = event["data"].get("invoice_no", doc["invoice_no"]), doc["info"]["message"] or ""
    if number != doc["invoice_no"]:
        further = part(doc, Decimal(event["data"]["amount"]))
        at, due = event["created_at"], doc["due_date"]
        return Letter(INVOICE, number, at, due, further, further.total, NO_FEES, message)
    shown = sheet(doc | doc.get("_first", {}))
    return Letter(INVOICE, doc["invoice_no"], doc["attested_at"], doc["due_date"], shown, shown.total, NO_FEES, message)


def _reminder(doc: Json, event: Json, with_those_before: list[Json]) -> Letter:
    data = event["data"]
    fees = sum((Decimal(each["data"]["reminder_fee"] or 0) for each in with_those_before), NO_FEES)
    to_pay, message = Decimal(data["remaining_sum"]), data["message"] or ""
    return Letter(REMINDER, doc["invoice_no"], event["created_at"], doc["due_date"], sheet(doc), to_pay, fees, message)


def _credit(doc: Json, event: Json) -> Letter:
    number, amount = event["data"]["invoice_no"], Decimal(event["data"]["amount"])
    rows = doc.get("_credit_rows", {}).get(str(number))
    shown = sheet(doc, rows) if rows else part(doc, -amount)
    return Letter(CREDIT_INVOICE, number, event["created_at"], doc["due_date"], shown, shown.total, NO_FEES, "")


MAKERS = {INVOICE: _invoice, CREDIT_INVOICE: _credit}
