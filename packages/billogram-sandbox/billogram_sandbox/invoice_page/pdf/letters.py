"""Finds the document of a letter: invoice, reminder, or credit invoice, with its figures at that time."""

from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page.figures import Figures, figures_of, figures_of_amount
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
    """`kind` names the heading. `to_pay` includes what was added before the letter."""

    kind: str
    invoice_no: int
    at: str
    due: str
    figures: Figures
    to_pay: Decimal
    fees: Decimal
    message: str


def find_letter(
    sandbox: Sandbox, doc: Json, letter_id: str | None = None, invoice_no: str | None = None
) -> Letter | None:
    """The letter with that id or number; without both, the invoice."""
    candidates = events.of_types(sandbox, doc["id"], KINDS)
    matching = [event for event in candidates if _matches(event, doc, letter_id, invoice_no)]
    if not matching:
        return None
    event = matching[-1]
    if KINDS[event["type"]] == REMINDER:
        return _reminder(
            doc, event, [each for each in candidates[candidates.index(event) :] if each["type"] == event["type"]]
        )
    return LETTER_OF_KIND[KINDS[event["type"]]](doc, event)


def _matches(event: Json, doc: Json, letter_id: str | None, invoice_no: str | None) -> bool:
    number = event["data"].get("invoice_no", doc["invoice_no"])
    if letter_id is not None and event["data"].get("letter_id") != letter_id:
        return False
    if invoice_no is not None:
        return str(number) == invoice_no and (letter_id is not None or KINDS[event["type"]] != REMINDER)
    return letter_id is not None or event["type"] == "BillogramSent"


def _invoice(doc: Json, event: Json) -> Letter:
    """An invoice with another number is for an amount that was added after sending."""
    number, message = event["data"].get("invoice_no", doc["invoice_no"]), doc["info"]["message"] or ""
    if number != doc["invoice_no"]:
        further = figures_of_amount(doc, Decimal(event["data"]["amount"]))
        at, due = event["created_at"], doc["due_date"]
        return Letter(INVOICE, number, at, due, further, further.total, NO_FEES, message)
    shown = figures_of(doc | doc.get("_first", {}))
    return Letter(INVOICE, doc["invoice_no"], doc["attested_at"], doc["due_date"], shown, shown.total, NO_FEES, message)


def _reminder(doc: Json, event: Json, reminders: list[Json]) -> Letter:
    data = event["data"]
    fees = sum((Decimal(each["data"]["reminder_fee"] or 0) for each in reminders), NO_FEES)
    to_pay, message = Decimal(data["remaining_sum"]), data["message"] or ""
    return Letter(
        REMINDER, doc["invoice_no"], event["created_at"], doc["due_date"], figures_of(doc), to_pay, fees, message
    )


def _credit(doc: Json, event: Json) -> Letter:
    number, amount = event["data"]["invoice_no"], Decimal(event["data"]["amount"])
    rows = doc.get("_credit_rows", {}).get(str(number))
    shown = figures_of(doc, rows) if rows else figures_of_amount(doc, -amount)
    return Letter(CREDIT_INVOICE, number, event["created_at"], doc["due_date"], shown, shown.total, NO_FEES, "")


LETTER_OF_KIND = {INVOICE: _invoice, CREDIT_INVOICE: _credit}
