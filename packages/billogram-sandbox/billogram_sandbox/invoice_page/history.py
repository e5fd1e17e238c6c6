"""The history of an invoice and its messages, from its events."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page.language import formatting
from billogram_sandbox.invoice_page.language.texts import EmptyDefault, Texts

TONES = {
    **dict.fromkeys(("Payment", "CollectorPayment", "Credit", "Writeoff"), "good"),
    **dict.fromkeys(("Overdue", "ReminderSent", "PaymentRecalled", "Collection", "CollectionStatusUpdate"), "bad"),
    **dict.fromkeys(("DeliveryFailed", "DeliverySmsFailed", "EmailNotAccepted", "SmsNotAccepted"), "waiting"),
    **dict.fromkeys(("PaymentFailed", "EfakturaFailed", "InterestStarted", "Respite", "RespiteRemoved"), "waiting"),
}
SETTLING_EVENTS = ("Payment", "CollectorPayment", "OverpaymentAdjustment", "Credit", "Writeoff", "CollectionEnded")
MESSAGE_EVENTS = ("CustomerMessage", "CreditorMessage")
AMOUNTS = ("amount", "recalled_amount")


@dataclass(frozen=True)
class HistoryEntry:
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


def entries(texts: Texts, events: Iterable[Json], currency: str) -> list[HistoryEntry]:
    """Latest first. Without messages, and without events that have no text."""
    visible = [event for event in _visible(texts, events) if event["type"] not in MESSAGE_EVENTS]
    return [_entry(texts, event, currency) for event in reversed(visible)]


def messages(events: Iterable[Json]) -> list[Message]:
    """Oldest first."""
    return [
        Message(event["created_at"], event["type"] == MESSAGE_EVENTS[0], event["data"]["message"])
        for event in events
        if event["type"] in MESSAGE_EVENTS
    ]


def latest_text(texts: Texts, events: list[Json], currency: str) -> str:
    """The latest event or message in one line, for screen readers."""
    visible = _visible(texts, events)
    return _text(texts, visible[-1], currency) if visible else ""


def _visible(texts: Texts, events: Iterable[Json]) -> list[Json]:
    """Without an end that follows from the event before it."""
    visible: list[Json] = []
    for event in events:
        follows = event["type"] == "BillogramEnded" and bool(visible) and visible[-1]["type"] in SETTLING_EVENTS
        if _kind(event) in texts.event_texts and not follows:
            visible.append(event)
    return visible


def _kind(event: Json) -> str:
    """An opening is a `DeliveryAccepted` with an `ip`."""
    is_opening = event["type"] == "DeliveryAccepted" and (event["data"] or {}).get("ip")
    return "Opened" if is_opening else str(event["type"])


def _entry(texts: Texts, event: Json, currency: str) -> HistoryEntry:
    kind, data = _kind(event), event["data"] or {}
    return HistoryEntry(
        event["created_at"],
        _text(texts, event, currency),
        TONES.get(kind, "plain"),
        _detail(texts, kind, data, currency),
        (data.get("message") or "") if kind == "ReminderSent" else "",
        data["invoice_no"] if kind == "Credit" else None,
    )


def _text(texts: Texts, event: Json, currency: str) -> str:
    data = event["data"] or {}
    values = {
        key: formatting.money(texts, Decimal(data[key]), currency) for key in AMOUNTS if data.get(key) is not None
    }
    values["way"] = _way(texts, data)
    if data.get("date"):
        values["date"] = formatting.plain_day(texts, data["date"])
    text = texts.event_texts[_kind(event)].format_map(EmptyDefault(values))
    return text.replace(" :", ":").strip()


def _way(texts: Texts, data: Json) -> str:
    if "payment_type" in data:
        return texts.payments.get(data["payment_type"], "")
    return texts.ways.get(data.get("delivery_method") or "", "")


def _detail(texts: Texts, kind: str, data: Json, currency: str) -> str:
    if kind == "ReminderSent" and data.get("reminder_fee"):
        fee = formatting.money(texts, Decimal(data["reminder_fee"]), currency)
        return f"{texts.words['reminder_fees']}: {fee}"
    return ""
