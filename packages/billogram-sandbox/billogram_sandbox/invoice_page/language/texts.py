"""The texts of page and PDF, one object per language."""

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
    """Labels of page and PDF, by name."""
    states: Mapping[str, tuple[str, str]]
    """Name and sentence by status."""
    when: Mapping[str, str]
    """The distance of a day."""
    event_texts: Mapping[str, str]
    """By event type. Events without a text are not shown."""
    ways: Mapping[str, str]
    """Phrases for delivery methods, after what was sent."""
    payments: Mapping[str, str]
    """Phrases for payment methods."""
    units: Mapping[str, str]
    notices: Mapping[str, str]
    """Shown after a form was submitted."""
    errors: Mapping[str, str]
    """Errors of fields."""


class EmptyDefault(dict[str, str]):
    """A missing key is an empty text."""

    def __missing__(self, _: str) -> str:
        return ""
