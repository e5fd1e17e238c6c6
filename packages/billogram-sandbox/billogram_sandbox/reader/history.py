"""A billogram's events as its reader would tell them, and the messages among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.core.documents import Json
from billogram_sandbox.reader import writing
from billogram_sandbox.reader.texts import Blank, Texts

TONES = {
    **dict.fromkeys(("Payment", "CollectorPayment", "Credit", "Writeoff"), "good"),
    **dict.fromkeys(("Overdue", "ReminderSent", "PaymentRecalled", "Collection", "CollectionStatusUpdate"), "bad"),
    **dict.fromkeys(("DeliveryFailed", "DeliverySmsFailed", "EmailNotAccepted", "SmsNotAccepted"), "waiting"),
    **dict.fromkeys(("PaymentFailed", "EfakturaFailed", "InterestStarted", "Respite", "RespiteRemoved"), "waiting"),
}
SETTLING = ("Payment", "CollectorPayment", "OverpaymentAdjustment", "Credit", "Writeoff", "CollectionEnded")
MESSAGES = ("CustomerMessage", "CreditorMessage")
AMOUNTS = ("amount", "recalled_amount")


@dataclass(frozen=True)
class Happening:
    at: str
    text: str
    tone: str
    detail: str = ""
    message: str = ""
    credit_invoice_no: int | None = None


@dataclass(frozen=True)
class Message:
    at: str
    is_mine: bool
    text: str


def happenings(texts: Texts, events: Iterable[Json], currency: str) -> list[Happening]:
    """The latest first. What a reader has no word for is left out; messages stand in their own list."""
    told = [event for event in _told(texts, events) if event["type"] not in MESSAGES]
    return [_happening(texts, event, currency) for event in reversed(told)]


def messages(events: Iterable[Json]) -> list[Message]:
    """In the order in which they were written."""
    return [
        Message(event["created_at"], event["type"] == MESSAGES[0], event["data"]["message"])
        for event in events
        if event["type"] in MESSAGES
    ]


def latest(texts: Texts, events: list[Json], currency: str) -> str:
    """In one line, a message too: what a screen reader hears when the page changes."""
    told = _told(texts, events)
    return _text(texts, told[-1], currency) if told else ""


def _told(texts: Texts, events: Iterable[Json]) -> list[Json]:
    """An end that follows from what was told just before is not told besides."""
    told: list[Json] = []
    for event in events:
        follows = event["type"] == "BillogramEnded" and bool(told) and told[-1]["type"] in SETTLING
        if _kind(event) in texts.happenings and not follows:
            told.append(event)
    return told


def _kind(event: Json) -> str:
    """That an invoice was opened is told as a delivery with the address from which it was read."""
    is_opening = event["type"] == "DeliveryAccepted" and (event["data"] or {}).get("ip")
    return "Opened" if is_opening else str(event["type"])


def _happening(texts: Texts, event: Json, currency: str) -> Happening:
    kind, data = _kind(event), event["data"] or {}
    return Happening(
        event["created_at"],
        _text(texts, event, currency),
        TONES.get(kind, "plain"),
        _detail(texts, kind, data, currency),
        (data.get("message") or "") if kind == "ReminderSent" else "",
        data["invoice_no"] if kind == "Credit" else None,
    )


def _text(texts: Texts, event: Json, currency: str) -> str:
    data = event["data"] or {}
    values = {key: writing.money(texts, Decimal(data[key]), currency) for key in AMOUNTS if data.get(key) is not None}
    values["way"] = _way(texts, data)
    if data.get("date"):
        values["date"] = writing.plain_day(texts, data["date"])
    text = texts.happenings[_kind(event)].format_map(Blank(values))
    return text.replace(" :", ":").strip()


def _way(texts: Texts, data: Json) -> str:
    if "payment_type" in data:
        return texts.payments.get(data["payment_type"], "")
    return texts.ways.get(data.get("delivery_method") or "", "")


def _detail(texts: Texts, kind: str, data: Json, currency: str) -> str:
    if kind == "ReminderSent" and data.get("reminder_fee"):
        fee = writing.money(texts, Decimal(data["reminder_fee"]), currency)
        return f"{texts.words['reminder_fees']}: {fee}"
    return ""
