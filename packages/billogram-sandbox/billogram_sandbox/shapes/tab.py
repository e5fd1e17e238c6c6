"""The writable fields of billing tabs, and the next billing date of a frequency."""

import calendar
import re
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from billogram_sandbox.shapes.billogram import Row
from billogram_sandbox.shapes.values import Shape

DAYS = tuple(name.lower() for name in calendar.day_name)
ONE_DAY = timedelta(days=1)


def _frequency(text: str) -> str:
    kind, _, day = text.partition("#")
    is_known = {
        "daily": text == "daily",
        "weekly": day.lower() in DAYS or bool(re.fullmatch(r"[1-7]", day)),
        "monthly": bool(re.fullmatch(r"[1-9]|[12][0-9]|3[01]", day)),
    }
    if not is_known.get(kind):
        raise ValueError("a frequency is daily, weekly#monday, weekly#1 to 7, or monthly#1 to 31")
    return text


class TabSettings(Shape):
    """Null is the account's default: monthly on the first, by e-mail."""

    billing_frequency: Annotated[str, AfterValidator(_frequency)] | None = None
    delivery_method: (
        Literal["Email+Letter", "Email", "SMS+Letter", "SMS", "Letter", "Einvoice", "EDI", "DoNotNotify"] | None
    ) = None


class NewTabItem(Shape):
    billogram_item: Row


def next_billing(frequency: str, today: date) -> date:
    """Always after today. A short month bills on its last day."""
    kind, _, day = frequency.partition("#")
    following = today + ONE_DAY
    if kind == "daily":
        return following
    if kind == "weekly":
        weekday = DAYS.index(day.lower()) if day.lower() in DAYS else int(day) - 1
        return following + timedelta(days=(weekday - following.weekday()) % 7)
    in_month = _in_month(following, int(day))
    return in_month if in_month >= following else _in_month(following.replace(day=28) + timedelta(days=4), int(day))


def _in_month(month: date, day: int) -> date:
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))
