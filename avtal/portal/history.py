"""A bill's history as its page shows it: each fact with amount, payer, source, and everything else that it holds."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from avtal.contracts.bills.bill import Fact, FactType
from avtal.portal.formatting import amount, day_text, parse_amount
from avtal.portal.texts import Texts

AMOUNT_FIELDS = frozenset({"banking_amount", "reminder_fee", "remaining_sum", "total_sum", "sells_for", "sold_for"})
SHOWN_ELSEWHERE = frozenset({"event", "amount", "payer_name"})
"""In the headline and the source."""


class HistoryEntry(NamedTuple):
    """`details` have a label here; `unnamed_details` are shown by Billogram's names of the fields."""

    at: datetime
    type: FactType
    headline: str
    details: list[tuple[str, str]]
    unnamed_details: list[tuple[str, str]]
    source: str


def history_entries(facts: Iterable[Fact], currency: str, texts: Texts) -> list[HistoryEntry]:
    return [_entry(fact, currency, texts) for fact in facts]


def _entry(fact: Fact, currency: str, texts: Texts) -> HistoryEntry:
    details = [(name, _value_text(name, value, currency)) for name, value in _details(fact)]
    return HistoryEntry(
        at=fact.at,
        type=fact.type,
        headline=_headline(fact, currency, texts),
        details=[(texts.details[name], value) for name, value in details if name in texts.details],
        unnamed_details=[(name, value) for name, value in details if name not in texts.details],
        source=_source(fact, texts),
    )


def _headline(fact: Fact, currency: str, texts: Texts) -> str:
    text = texts.facts[fact.type]
    event = fact.detail.get("event")
    if fact.type is FactType.OTHER and isinstance(event, str):
        text = texts.events.get(event, f"{text} ({event})")
    minor = fact.total_minor if fact.amount_minor is None else fact.amount_minor
    amount_ = "" if minor is None else f": {amount(minor, currency)}"
    payer = fact.detail.get("payer_name")
    from_ = f" {texts.labels['from'].lower()} {payer}" if payer else ""
    due = f", {texts.labels['due'].lower()} {day_text(fact.due_date)}" if fact.due_date else ""
    return f"{text}{amount_}{from_}{due}"


def _source(fact: Fact, texts: Texts) -> str:
    event = fact.detail.get("event")
    source = texts.sources.get(fact.source, fact.source)
    return f"{source}, {event}" if event else source


def _details(fact: Fact) -> Iterator[tuple[str, JsonValue]]:
    """Without empty fields."""
    for name, value in fact.detail.items():
        if name not in SHOWN_ELSEWHERE and value not in (None, "", [], {}):
            yield name, value


def _value_text(name: str, value: JsonValue, currency: str) -> str:
    minor = parse_amount(value) if name in AMOUNT_FIELDS else None
    if minor is not None:
        return amount(minor, currency)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)
