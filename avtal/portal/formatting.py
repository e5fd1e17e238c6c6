"""Formats amounts, days, and instants for people; `<time>` also carries the exact value."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from markupsafe import Markup

from avtal.portal.texts import ENGLISH

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def amount(minor: int, currency: str) -> str:
    units, minor_units = divmod(abs(minor), 100)
    sign = MINUS if minor < 0 else ""
    return f"{sign}{units:,}.{minor_units:02d}{NO_BREAK}{currency}"


def parse_amount(value: object) -> int | None:
    """Minor units of an amount as Billogram writes it; None if it is not an amount."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        minor = Decimal(value) * 100
        return int(minor) if minor == int(minor) else None
    except (ArithmeticError, ValueError):
        return None


def day_text(day: date) -> str:
    return f"{day.day}{NO_BREAK}{ENGLISH.months[day.month - 1]}{NO_BREAK}{day.year}"


def day(day: date | None) -> Markup:
    if day is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), day_text(day))


def instant(at: datetime, zone: str) -> Markup:
    local = at.astimezone(_zone(zone))
    return Markup('<time datetime="{}">{}, {}</time>').format(
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", day_text(local.date()), f"{local:%H:%M}"
    )


def web_address(address: str | None) -> str | None:
    """The address if it may become a link: other schemes, such as javascript:, could run code."""
    return address if address and address.lower().startswith(("https://", "http://")) else None


def capitalize_first(text: str) -> str:
    """Unlike `str.capitalize`, keeps the case of names in the text."""
    return text[:1].upper() + text[1:]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
