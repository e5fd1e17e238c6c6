"""The legal limits of late fees in Sweden: lag (1981:739) §§ 4 and 4 a, räntelagen (1975:635) § 6.

A reminder fee is owed only if it was agreed when the debt arose: here, if it is on the billogram when it is sent. A
higher fee is the compensation between businesses, owed once instead of the fees for reminders and collection. The
limits of other countries are not known here.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billogram_sandbox.core.documents import Json


class Cap(NamedTuple):
    kronor: Decimal
    since: date


REMINDER = Cap(Decimal(60), date(2013, 3, 16))
COLLECTION = Cap(Decimal(180), date(2013, 3, 16))
INSTALMENT_PLAN = Cap(Decimal(170), date(2013, 3, 16))
COMPENSATION = Cap(Decimal(450), date(2013, 3, 16))
CURRENCY = "SEK"
BUSINESSES = frozenset({"business", "foreign business"})
INTEREST_MIN = Decimal(10)
"""Less is not charged: no law, but the practice of collectors."""


def reminder_fee_max(currency: str, company_type: str) -> Decimal | None:
    if currency != CURRENCY:
        return None
    return (COMPENSATION if company_type in BUSINESSES else REMINDER).kronor


def is_compensation(doc: Json) -> bool:
    return bool(doc["currency"] == CURRENCY and doc["reminder_fee"] > REMINDER.kronor)


def reminder_fee(doc: Json) -> Decimal:
    """The fee of the next reminder."""
    is_owed_already = is_compensation(doc) and doc["detailed_sums"]["reminder_fee"] > 0
    return Decimal(0 if is_owed_already else doc["reminder_fee"])


def collection_fee(doc: Json, usual: Decimal) -> Decimal:
    owed = doc["detailed_sums"]["reminder_fee"] if is_compensation(doc) else Decimal(0)
    return max(usual - owed, Decimal(0))
