"""Interest on the remaining principal of a late billogram: its yearly rate, actual days by 365.

    starts                             counted from
    the first day after the due date   the due date
    after a recalled payment           the recall
    after a respite                    the respite date

It ends with the billogram, or when the principal is paid. There is no daily job: loading a billogram accrues the days
since it was last stored. `past` and `per_day` are whole numbers, in hundredths times rate times days, and are rounded
once. Less than `INTEREST_MIN` is not charged.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.lists import column
from billogram_sandbox.rules.money import principal_remaining, update_sums
from billogram_sandbox.rules.states import OPEN
from billogram_sandbox.rules.statute import INTEREST_MIN

RATE_UNITS = 10**6  # a rate has at most six decimals
HUNDREDTHS = 100
PER_HUNDREDTH = RATE_UNITS * 100 * 365


def start(doc: Json, since: date, today: date) -> None:
    doc["_interest"] = {"past": 0, "per_day": 0, "since": str(since)}
    set_daily_rate(doc)
    accrue(doc, today)


def accrue(doc: Json, today: date) -> None:
    """Up to today."""
    running = doc.get("_interest")
    if running is None:
        return
    days = (today - date.fromisoformat(running["since"])).days
    if days > 0:
        doc["_interest"] = running | {"past": running["past"] + days * running["per_day"], "since": str(today)}
    fee = chargeable(doc["_interest"]["past"])
    if fee != doc["interest_fee"]:
        doc["interest_fee"] = fee
        doc["detailed_sums"] = doc["detailed_sums"] | {"interest_fee": fee}
        update_sums(doc)


def restart_from(doc: Json, day: date) -> None:
    """Keeps what has accrued; days before `day` add nothing."""
    if "_interest" in doc:
        doc["_interest"] = doc["_interest"] | {"since": str(day)}


def set_daily_rate(doc: Json) -> None:
    """Call it after every change of principal, rate, or state."""
    if "_interest" in doc:
        principal = max(principal_remaining(doc), Decimal(0)) if doc["state"] in OPEN else Decimal(0)
        per_day = int(principal * HUNDREDTHS) * int(doc["interest_rate"] * RATE_UNITS)
        doc["_interest"] = doc["_interest"] | {"per_day": per_day}


def chargeable(past: int) -> Decimal:
    hundredths = (Decimal(past) / PER_HUNDREDTH).quantize(Decimal(1), ROUND_HALF_UP)
    amount = hundredths / HUNDREDTHS
    return amount if amount >= INTEREST_MIN else Decimal(0)


def hundredths_since_stored(today: date) -> str:
    """SQL for the interest that the stored sums lack."""
    past, per_day, since = (f"json_extract(doc, '$._interest.{key}')" for key in ("past", "per_day", "since"))
    days = f"max(0, CAST(julianday('{today}') - julianday({since}) AS INTEGER))"
    now = f"CAST(round(({past} + {per_day} * {days}) * 1.0 / {PER_HUNDREDTH}) AS INTEGER)"
    stored = f"CAST(round({column('interest_fee')} * {HUNDREDTHS}) AS INTEGER)"
    charged_now = f"CASE WHEN {now} >= {INTEREST_MIN * HUNDREDTHS} THEN {now} ELSE 0 END"
    return f"CASE WHEN {since} IS NULL THEN 0 ELSE ({charged_now}) - {stored} END"
