"""The days on which a billogram changes automatically, at the start of the day in Stockholm.

    step         from                          day                                          leads to
    overdue      Unpaid, PartlyPaid            after the due date                           Overdue
    interest     the unpaid family, late       after the due date, or immediately           InterestStarted
    soft         the unpaid family, principal  a `soft_reminders` after the due date        the same state
    reminder     late, principal remains       an automatic reminder after the one before   Reminder_n
    collection   late, principal remains       automatic collection after the last reminder Collecting
    handover     Collecting                    the next day                                 Collection
    fallback     the unpaid family             a fallback after sending                     the same state
    sale         Factoring                     the next day                                 Sold

A respite date replaces the due date. `delay_days` of the first automatic reminder count from the due date, of the
others from the reminder before; a reminder by command replaces the next automatic one. A step whose day is past runs
immediately, except a soft reminder, which is skipped. `scheduler.py` runs the steps.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from billogram_sandbox.core.clock import format_instant, start_of_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.rules.money import principal_remaining
from billogram_sandbox.rules.states import COLLECTING, FACTORING, OVERDUE, PARTLY_PAID, REMINDERS, UNPAID_FAMILY
from billogram_sandbox.sandbox import Sandbox

ONE_DAY = timedelta(days=1)
LATE = frozenset({OVERDUE, PARTLY_PAID, *REMINDERS})


def update(sandbox: Sandbox, doc: Json, now: datetime) -> None:
    """Sets the time of the next step."""
    step = next_step(doc)
    doc["_wakes_at"] = None if step is None else format_instant(max(start_of_day(step[0]), now))
    sandbox.schedule_changed.set()


def next_step(doc: Json) -> tuple[date, str] | None:
    """The next step and its day; of several on one day, the first in the table."""
    days = [
        (day, place, name) for place, (name, when) in enumerate(DAY_OF_STEP.items()) if (day := when(doc)) is not None
    ]
    if not days:
        return None
    day, _, name = min(days)
    return day, name


def due_day(doc: Json) -> date:
    return date.fromisoformat(doc["respite_date"] or doc["due_date"])


def is_late(doc: Json, today: date) -> bool:
    return today > due_day(doc)


def automatic_reminders(doc: Json) -> list[Json]:
    return list(doc["automatic_reminders_settings"]) if doc["automatic_reminders"] else []


def fallback_rule(doc: Json) -> tuple[date, Json] | None:
    """The first day on which a rule of its last delivery method holds, and the rule."""
    way = doc.get("_way")
    if way is None or doc["state"] not in UNPAID_FAMILY:
        return None
    sent_on = date.fromisoformat(way["on"])
    rules = [
        (sent_on + timedelta(days=rule["after_days"]), place, rule)
        for place, rule in enumerate(way["rules"])
        if rule["way"] not in way["tried"] and FALLBACK_CONDITIONS[rule["if"]](way["outcome"])
    ]
    if not rules:
        return None
    day, _, rule = min(rules, key=lambda each: each[:2])
    return day, rule


FALLBACK_CONDITIONS: dict[str, Callable[[str | None], bool]] = {
    "failed": lambda outcome: outcome == "failed",
    "unopened": lambda outcome: outcome != "opened",
}
"""A failed delivery counts as unopened."""


def next_soft_reminder(doc: Json) -> tuple[date, Json] | None:
    """Only after the day of sending."""
    reminders = sorted(doc.get("_soft_reminders", ()), key=lambda each: int(each["delay_days"]))
    for reminder in reminders:
        day = due_day(doc) + timedelta(days=reminder["delay_days"])
        if reminder["delay_days"] > doc.get("_soft_until", -1) and str(day) > doc["_sent_on"]:
            return day, reminder
    return None


def _is_owed(doc: Json) -> bool:
    return doc["state"] in UNPAID_FAMILY and principal_remaining(doc) > 0


def _is_late_and_owed(doc: Json) -> bool:
    return _is_owed(doc) and doc["state"] in LATE and bool(doc.get("_was_overdue"))


def _overdue(doc: Json) -> date | None:
    if doc["state"] not in UNPAID_FAMILY or doc.get("_was_overdue"):
        return None
    return due_day(doc) + ONE_DAY


def _interest(doc: Json) -> date | None:
    starts = _is_late_and_owed(doc) and doc["interest_rate"] > 0 and "_interest" not in doc
    return due_day(doc) + ONE_DAY if starts else None


def _soft(doc: Json) -> date | None:
    following = next_soft_reminder(doc) if _is_owed(doc) and not doc.get("_is_silent") else None
    return following and following[0]


def _reminder(doc: Json) -> date | None:
    wanted, count = automatic_reminders(doc), doc["reminder_count"]
    if not _is_late_and_owed(doc) or count >= len(wanted) or not _is_reminder_worthwhile(doc):
        return None
    before = _day_in(doc, "_reminded_on") if count else due_day(doc)
    return max(due_day(doc) + ONE_DAY, before + timedelta(days=wanted[count]["delay_days"]))


def _is_reminder_worthwhile(doc: Json) -> bool:
    rules = doc.get("_reminder_rules", {})
    is_partly_paid = doc["detailed_sums"]["paid_sum"] < 0
    if is_partly_paid and not rules.get("use_automatic_reminders_partly_paid", True):
        return False
    return principal_remaining(doc) >= (rules.get("automatic_reminders_minimum_principal_sum") or 0)


def _collection(doc: Json) -> date | None:
    """Once, after the last reminder. `amount` is the least principal."""
    wanted = doc["automatic_collection"]
    is_through = doc["reminder_count"] >= len(automatic_reminders(doc))
    was_collected = "_collecting_on" in doc
    if wanted["delay_days"] is None or was_collected or not is_through or not _is_late_and_owed(doc):
        return None
    if principal_remaining(doc) < (wanted["amount"] or Decimal(0)):
        return None
    before = _day_in(doc, "_reminded_on") if doc["reminder_count"] else due_day(doc)
    return max(due_day(doc) + ONE_DAY, before + timedelta(days=wanted["delay_days"]))


def _handover(doc: Json) -> date | None:
    return _day_in(doc, "_collecting_on") + ONE_DAY if doc["state"] == COLLECTING else None


def _day_in(doc: Json, key: str) -> date:
    """Older files lack the key: then the due date."""
    return date.fromisoformat(doc[key] if key in doc else doc["due_date"])


def _fallback(doc: Json) -> date | None:
    rule = fallback_rule(doc)
    return rule and rule[0]


def _sale(doc: Json) -> date | None:
    return _day_in(doc, "_sent_on") + ONE_DAY if doc["state"] == FACTORING else None


DAY_OF_STEP: dict[str, Callable[[Json], date | None]] = {
    "overdue": _overdue,
    "interest": _interest,
    "soft": _soft,
    "reminder": _reminder,
    "collection": _collection,
    "handover": _handover,
    "fallback": _fallback,
    "sale": _sale,
}
