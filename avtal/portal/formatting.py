"""How amounts, days, and moments are written; a machine finds the exact value beside what a person reads."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from markupsafe import Markup

from avtal.portal.texts import ENGLISH

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def amount(minor: int, currency: str) -> str:
    kronor, rest = divmod(abs(minor), 100)
    sign = MINUS if minor < 0 else ""
    return f"{sign}{kronor:,}.{rest:02d}{NO_BREAK}{currency}"


def amount_of(value: object) -> int | None:
    """Minor units of an amount as the platform tells it; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        minor = Decimal(value) * 100
        return int(minor) if minor == int(minor) else None
    except (ArithmeticError, ValueError):
        return None


def plain_day(day: date) -> str:
    return f"{day.day}{NO_BREAK}{ENGLISH.months[day.month - 1]}{NO_BREAK}{day.year}"


def day(day: date | None) -> Markup:
    if day is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), plain_day(day))


def moment(at: datetime, zone: str) -> Markup:
    local = at.astimezone(_zone(zone))
    return Markup('<time datetime="{}">{}, {}</time>').format(
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", plain_day(local.date()), f"{local:%H:%M}"
    )


def web_address(address: str | None) -> str | None:
    """The address if a link may lead there: a browser runs what other schemes say."""
    return address if address and address.lower().startswith(("https://", "http://")) else None


def capital(text: str) -> str:
    """The first letter alone: names within keep theirs."""
    return text[:1].upper() + text[1:]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
