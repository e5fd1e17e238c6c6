"""A bill's history in plain words: what each fact was, its amount and payer, and everything else that was told."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from avtal.contracts.bills.bill import Fact, FactType
from avtal.portal.formatting import amount, amount_of, plain_day
from avtal.portal.texts import Texts

MONEY = frozenset({"banking_amount", "reminder_fee", "remaining_sum", "total_sum", "sells_for", "sold_for"})
SAID = frozenset({"event", "amount", "payer_name"})
"""What the headline and the source say already."""


class Told(NamedTuple):
    """`known` are particulars that have a name here, `more` the rest, by the platform's own names."""

    at: datetime
    type: FactType
    what: str
    known: list[tuple[str, str]]
    more: list[tuple[str, str]]
    source: str


def told(facts: Iterable[Fact], currency: str, texts: Texts) -> list[Told]:
    return [_told(fact, currency, texts) for fact in facts]


def _told(fact: Fact, currency: str, texts: Texts) -> Told:
    particulars = [(name, _value(name, value, currency)) for name, value in _rest(fact)]
    return Told(
        at=fact.at,
        type=fact.type,
        what=_what(fact, currency, texts),
        known=[(texts.particulars[name], value) for name, value in particulars if name in texts.particulars],
        more=[(name, value) for name, value in particulars if name not in texts.particulars],
        source=_source(fact, texts),
    )


def _what(fact: Fact, currency: str, texts: Texts) -> str:
    words = texts.facts[fact.type]
    event = fact.detail.get("event")
    if fact.type is FactType.OTHER and isinstance(event, str):
        words = texts.events.get(event, f"{words} ({event})")
    minor = fact.total_minor if fact.amount_minor is None else fact.amount_minor
    sum_ = "" if minor is None else f": {amount(minor, currency)}"
    payer = fact.detail.get("payer_name")
    from_ = f" {texts.words['from'].lower()} {payer}" if payer else ""
    due = f", {texts.words['due'].lower()} {plain_day(fact.due_date)}" if fact.due_date else ""
    return f"{words}{sum_}{from_}{due}"


def _source(fact: Fact, texts: Texts) -> str:
    event = fact.detail.get("event")
    source = texts.sources.get(fact.source, fact.source)
    return f"{source}, {event}" if event else source


def _rest(fact: Fact) -> Iterator[tuple[str, JsonValue]]:
    """What was told and is not empty; what merely repeats that there is nothing is left out."""
    for name, value in fact.detail.items():
        if name not in SAID and value not in (None, "", [], {}):
            yield name, value


def _value(name: str, value: JsonValue, currency: str) -> str:
    minor = amount_of(value) if name in MONEY else None
    if minor is not None:
        return amount(minor, currency)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)
