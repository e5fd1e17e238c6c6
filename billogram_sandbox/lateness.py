"""What time does to a sent billogram, and what puts it off. A day here is a day in Stockholm.

    from                      when                                            to            tells
    Unpaid, PartlyPaid        the day after the due date begins               Overdue       Overdue
    Overdue, Reminder_n       an automatic reminder's day begins              Reminder_n    ReminderSent
    PartlyPaid, late          likewise                                        Reminder_n    ReminderSent
    Collecting                the next day begins                             Collection    CollectionStatusUpdate

The due date is the respite date, if there is one. An automatic reminder's `delay_days` count from the due date, for
the first one, or from the reminder before it; a reminder by command takes the place of the next automatic one.
Automatic reminders stop once only fees remain, or when it went to collection.
"""

from datetime import date, datetime, timedelta

from billogram_sandbox import billograms, delivery, events
from billogram_sandbox.call import Call
from billogram_sandbox.clock import STOCKHOLM, instant, parse_instant, start_of_next_day
from billogram_sandbox.command_shapes import Nothing, Remind, Respite
from billogram_sandbox.documents import Json
from billogram_sandbox.envelope import invalid
from billogram_sandbox.money import principal_remaining, sum_up
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes import read
from billogram_sandbox.states import COLLECTING, COLLECTION, OVERDUE, PARTLY_PAID, REMINDERS, UNPAID, UNPAID_FAMILY

ONE_DAY = timedelta(days=1)


def due_day(doc: Json) -> date:
    return date.fromisoformat(doc["respite_date"] or doc["due_date"])


def is_late(doc: Json, today: date) -> bool:
    return today > due_day(doc)


def watch(sandbox: Sandbox, doc: Json, now: datetime) -> None:
    """Sets when something happens by itself; what is past already happens at once."""
    day = _next_day(doc, now)
    doc["_wakes_at"] = None if day is None else instant(max(start_of_next_day(day - ONE_DAY), now))
    sandbox.timeline_changed.set()


def wake(sandbox: Sandbox, doc: Json) -> None:
    """Its time has come."""
    at = parse_instant(doc["_wakes_at"])
    if doc["state"] == COLLECTING:
        doc["state"] = COLLECTION
        events.record(sandbox, doc, "CollectionStatusUpdate", at, collector(doc))
    elif not doc.get("_was_overdue"):
        doc |= {"state": OVERDUE, "_was_overdue": True}
        events.record(sandbox, doc, "Overdue", at, billograms.sums(doc))
    elif principal_remaining(doc) > 0:
        message = doc["automatic_reminders_settings"][doc["reminder_count"]]["message"]
        _remind(sandbox, doc, at, delivery.usual_method_again(doc), message)
    watch(sandbox, doc, at)
    billograms.save(sandbox, doc, at)


def state_when_open(doc: Json, today: date) -> str:
    """Of one that was settled, or at the collector, and is open again."""
    if is_late(doc, today):
        return REMINDERS[min(doc["reminder_count"], len(REMINDERS)) - 1] if doc["reminder_count"] else OVERDUE
    return PARTLY_PAID if doc["detailed_sums"]["paid_sum"] else UNPAID


def reopen(sandbox: Sandbox, doc: Json, now: datetime) -> None:
    """Being late is not told again: the state says it."""
    today = sandbox.clock.today()
    doc |= {"state": state_when_open(doc, today), "_was_overdue": is_late(doc, today)}
    watch(sandbox, doc, now)


def remind_now(call: Call, doc: Json, body: Json) -> None:
    wanted, now = read(Remind, body), call.sandbox.clock.now()
    _remind(call.sandbox, doc, now, delivery.method_again(doc, wanted.method), wanted.message)
    watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def collect(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    now = call.sandbox.clock.now()
    doc["state"] = COLLECTING
    events.record(call.sandbox, doc, "Collection", now, collector(doc) | {"amount": doc["remaining_sum"]})
    watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def grant_respite(call: Call, doc: Json, body: Json) -> None:
    wanted, now = date.fromisoformat(read(Respite, body).date), call.sandbox.clock.now()
    if wanted <= max(call.sandbox.clock.today(), date.fromisoformat(doc["due_date"])):
        raise invalid("the date must be in the future and after the due date", "date")
    doc["respite_date"] = str(wanted)
    events.record(call.sandbox, doc, "Respite", now, {"date": str(wanted)})
    watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def remove_respite(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    removed, now = doc["respite_date"], call.sandbox.clock.now()
    doc["respite_date"] = None
    events.record(call.sandbox, doc, "RespiteRemoved", now, {"date": removed})
    watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def collector(doc: Json) -> Json:
    return {"collector_method": "sandbox", "collector_reference": doc["id"], "full_status": doc["state"]}


def _next_day(doc: Json, now: datetime) -> date | None:
    """At whose beginning something happens by itself."""
    if doc["state"] == COLLECTING:
        return _civil(now) + ONE_DAY
    if doc["state"] not in UNPAID_FAMILY:
        return None
    late = due_day(doc) + ONE_DAY
    if not doc.get("_was_overdue"):
        return late
    ladder = doc["automatic_reminders_settings"] if doc["automatic_reminders"] else []
    if doc["reminder_count"] >= len(ladder) or principal_remaining(doc) <= 0:
        return None
    before = date.fromisoformat(doc["_reminded_on"]) if doc["reminder_count"] else due_day(doc)
    return max(late, before + timedelta(days=ladder[doc["reminder_count"]]["delay_days"]))


def _remind(sandbox: Sandbox, doc: Json, at: datetime, method: str, message: str | None) -> None:
    count = doc["reminder_count"] = doc["reminder_count"] + 1
    doc |= {"state": REMINDERS[min(count, len(REMINDERS)) - 1], "_was_overdue": True, "_reminded_on": str(_civil(at))}
    doc["detailed_sums"]["reminder_fee"] += doc["reminder_fee"]
    sum_up(doc)
    told = {"reminder_fee": doc["reminder_fee"], "reminder_count": count, "message": message}
    letter = delivery.letter(doc, doc["invoice_no"], method)
    del letter["invoice_no"]
    events.record(sandbox, doc, "ReminderSent", at, letter | told | billograms.sums(doc))


def _civil(at: datetime) -> date:
    return at.astimezone(STOCKHOLM).date()
