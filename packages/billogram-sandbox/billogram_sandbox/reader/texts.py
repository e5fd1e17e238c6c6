"""Every word that a reader sees, in one shape for each language; and which language it is."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Texts:
    language: str
    months: tuple[str, ...]
    decimal_mark: str
    group_mark: str
    short_currency: bool
    words: Mapping[str, str]
    """What stands in page and PDF, by name."""
    states: Mapping[str, tuple[str, str]]
    """In a word or two, and as a sentence."""
    when: Mapping[str, str]
    """How far off a day is."""
    happenings: Mapping[str, str]
    """By the event's type; one without a text is no matter of the reader's."""
    ways: Mapping[str, str]
    """How something was sent, to follow what was sent."""
    payments: Mapping[str, str]
    """How somebody paid."""
    units: Mapping[str, str]
    notices: Mapping[str, str]
    """After a form was sent."""
    errors: Mapping[str, str]
    """What is wrong with a field."""


class Blank(dict[str, str]):
    """What it has no word for is left out."""

    def __missing__(self, _: str) -> str:
        return ""


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, those liked best first."""
    liked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        name, _, parameters = part.partition(";")
        liked.append((_quality(parameters), name.strip().lower().partition("-")[0]))
    return [name for quality, name in sorted(liked, key=lambda each: -each[0]) if quality > 0]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
