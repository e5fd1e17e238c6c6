"""The status of an invoice in words, its due date, and the possible actions."""

from dataclasses import dataclass
from datetime import date

from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page.figures import Balance
from billogram_sandbox.invoice_page.language import formatting
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.rules.states import (
    COLLECTING,
    COLLECTION,
    COLLECTOR_ENDED,
    CREDITED,
    ENDED,
    PAID,
    REMINDERS,
    UNPAID_FAMILY,
)

KEY_OF_STATE = {
    **dict.fromkeys(REMINDERS, "reminded"),
    COLLECTING: "collecting",
    COLLECTION: "collection",
    COLLECTOR_ENDED: "collector_ended",
    PAID: "paid",
    CREDITED: "credited",
    ENDED: "nothing",
    "Factoring": "factoring",
    "FactoringDenied": "not_sold",
    "Sold": "sold",
}
TONES = {
    **dict.fromkeys(("paid", "overpaid", "credited", "nothing"), "good"),
    **dict.fromkeys(("overdue", "reminded", "collecting", "collection"), "bad"),
    **dict.fromkeys(("lost", "collector_ended", "sold", "not_sold", "factoring"), "quiet"),
}


@dataclass(frozen=True)
class InvoiceStatus:
    key: str
    tone: str
    name: str
    sentence: str
    due: date
    can_pay: bool
    can_resend: bool


def status_of(texts: Texts, doc: Json, balance: Balance, today: date) -> InvoiceStatus:
    due = date.fromisoformat(doc["respite_date"] or doc["due_date"])
    key = _key(doc, balance, due < today)
    name, sentence = texts.states[key]
    text = sentence.format(
        due=formatting.plain_day(texts, due),
        when=_when(texts, (due - today).days),
        settled=formatting.money(texts, balance.settled, doc["currency"]),
        over=formatting.money(texts, max(-balance.remaining, balance.remaining), doc["currency"]),
    )
    is_open = doc["state"] in UNPAID_FAMILY
    return InvoiceStatus(key, TONES.get(key, "waiting"), name, text, due, is_open and balance.remaining > 0, is_open)


def _key(doc: Json, balance: Balance, is_late: bool) -> str:

    state = doc["state"]
    if state == ENDED and doc["total_sum"]:
        return "lost"
    if state == PAID and balance.remaining < 0:
        return "overpaid"
    if state in KEY_OF_STATE:
        return KEY_OF_STATE[state]
    if is_late:
        return "overdue"
    return "partly_paid" if balance.settled else "unpaid"


def _when(texts: Texts, days: int) -> str:
    if days in (-1, 0, 1):
        return texts.when[("today", "tomorrow", "yesterday")[days]]
    return texts.when["later" if days > 0 else "ago"].format(days=abs(days))
