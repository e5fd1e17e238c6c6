"""Formats amounts, dates, and times in each language, with the exact value for machines."""

from datetime import UTC, date, datetime
from decimal import Decimal

from markupsafe import Markup

from billogram_sandbox.core.clock import STOCKHOLM
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.rules.money import hundredths

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
KRONOR = {"SEK": "kr"}


def figure(texts: Texts, value: Decimal | int) -> str:
    """Two decimals, grouped by thousands."""
    digits = f"{abs(hundredths(value)):,.2f}".replace(",", " ").replace(".", texts.decimal_mark)
    return (MINUS if value < 0 else "") + digits.replace(" ", texts.group_mark)


def plain_number(texts: Texts, value: Decimal | int) -> str:
    """As typed into a form."""
    return f"{hundredths(value):.2f}".replace(".", texts.decimal_mark)


def money(texts: Texts, value: Decimal | int, currency: str) -> str:
    name = KRONOR.get(currency, currency) if texts.short_currency else currency
    return f"{figure(texts, value)}{NO_BREAK}{name}"


def number(texts: Texts, value: Decimal | int) -> str:
    """Without trailing zeros, for counts and rates."""
    digits = f"{Decimal(value).normalize():f}"
    return digits.replace("-", MINUS).replace(".", texts.decimal_mark)


def plain_day(texts: Texts, day: date | str) -> str:
    at = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{at.day}{NO_BREAK}{texts.months[at.month - 1]}{NO_BREAK}{at.year}"


def day(texts: Texts, value: date | str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(str(value), plain_day(texts, value))


def moment(texts: Texts, stamp: str) -> Markup:
    """From Billogram's format, in Swedish time."""
    at = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    local = at.astimezone(STOCKHOLM)
    words = f"{plain_day(texts, local.date())}, {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", words)


def zipcode(text: str) -> str:
    return f"{text[:3]} {text[3:]}" if len(text) == 5 and text.isdecimal() else text
