"""How an invoice stands, in the reader's words: what to do, by when, and what can be done on the page."""

from dataclasses import dataclass
from datetime import date

from billogram_sandbox.core.documents import Json
from billogram_sandbox.reader import writing
from billogram_sandbox.reader.sheet import Account
from billogram_sandbox.reader.texts import Texts
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

WORDS = {
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
class Standing:
    key: str
    tone: str
    name: str
    sentence: str
    due: date
    can_pay: bool
    can_resend: bool


def standing(texts: Texts, doc: Json, account: Account, today: date) -> Standing:
    due = date.fromisoformat(doc["respite_date"] or doc["due_date"])
    key = _key(doc, account, due < today)
    name, sentence = texts.states[key]
    told = sentence.format(
        due=writing.plain_day(texts, due),
        when=_when(texts, (due - today).days),
        settled=writing.money(texts, account.settled, doc["currency"]),
        over=writing.money(texts, max(-account.remaining, account.remaining), doc["currency"]),
    )
    is_open = doc["state"] in UNPAID_FAMILY
    return Standing(key, TONES.get(key, "waiting"), name, told, due, is_open and account.remaining > 0, is_open)


def _key(doc: Json, account: Account, is_late: bool) -> str:
    """Whatever is not settled, sold, or with others is open: early, late, or partly settled."""
    state = doc["state"]
    if state == ENDED and doc["total_sum"]:
        return "lost"
    if state == PAID and account.remaining < 0:
        return "overpaid"
    if state in WORDS:
        return WORDS[state]
    if is_late:
        return "overdue"
    return "partly_paid" if account.settled else "unpaid"


def _when(texts: Texts, days: int) -> str:
    if days in (-1, 0, 1):
        return texts.when[("today", "tomorrow", "yesterday")[days]]
    return texts.when["later" if days > 0 else "ago"].format(days=abs(days))
