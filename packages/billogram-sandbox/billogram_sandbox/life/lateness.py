"""Being late: overdue, interest, reminders, and respite. When each comes by itself stands in agenda.

    reminder            tells                                        costs                          reminder_count
    by command          ReminderSent                                 the billogram's reminder_fee   one more
    automatic           ReminderSent                                 likewise                       one more
    soft                ReminderSent, with a reminder_fee of zero    nothing                        as it was

A soft one is friendly: it changes neither sums nor state. What a fee may be, stands in statute.
"""

from datetime import date, datetime

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import invalid
from billogram_sandbox.life import agenda, billograms, delivery
from billogram_sandbox.rules import interest, statute
from billogram_sandbox.rules.money import sum_up
from billogram_sandbox.rules.states import OVERDUE, PARTLY_PAID, REMINDERS, UNPAID
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Nothing, Remind, Respite
from billogram_sandbox.shapes.values import read


def become_overdue(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc |= {"state": OVERDUE, "_was_overdue": True}
    events.record(sandbox, doc, "Overdue", at, billograms.told_sums(doc))


def start_interest(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    """Told by its rate: what it comes to grows from day to day."""
    due = agenda.due_day(doc)
    interest.start(doc, max(due, date.fromisoformat(doc.get("_reopened_on", str(due)))), civil_day(at))
    events.record(sandbox, doc, "InterestStarted", at, {"interest_rate": doc["interest_rate"]})


def remind_softly(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    """Not if its day is past: what is friendly on the due date is not later."""
    following = agenda.next_soft_reminder(doc)
    assert following is not None
    day, reminder = following
    doc["_soft_until"] = reminder["delay_days"]
    if day >= civil_day(at):
        told = {"reminder_fee": 0, "reminder_count": doc["reminder_count"], "message": reminder["message"]}
        _tell_reminder(sandbox, doc, at, delivery.usual_method_again(doc), told)


def remind_by_itself(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    message = doc["automatic_reminders_settings"][doc["reminder_count"]]["message"]
    _remind(sandbox, doc, at, delivery.usual_method_again(doc), message)


def state_when_open(doc: Json, today: date) -> str:
    """Of one that was settled, or at the collector, and is open again."""
    if agenda.is_late(doc, today):
        return REMINDERS[min(doc["reminder_count"], len(REMINDERS)) - 1] if doc["reminder_count"] else OVERDUE
    return PARTLY_PAID if doc["detailed_sums"]["paid_sum"] else UNPAID


def reopen(sandbox: Sandbox, doc: Json, now: datetime) -> None:
    """Being late is not told again: the state says it. The days in between bear no interest."""
    today = sandbox.clock.today()
    is_late = agenda.is_late(doc, today)
    doc |= {"state": state_when_open(doc, today), "_was_overdue": is_late, "_reopened_on": str(today)}
    interest.count_from(doc, max(today, agenda.due_day(doc)))
    agenda.watch(sandbox, doc, now)


def remind_now(call: Call, doc: Json, body: Json) -> None:
    wanted, now = read(Remind, body), call.sandbox.clock.now()
    _remind(call.sandbox, doc, now, delivery.method_again(doc, wanted.method), wanted.message)
    agenda.watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def grant_respite(call: Call, doc: Json, body: Json) -> None:
    wanted, now = date.fromisoformat(read(Respite, body).date), call.sandbox.clock.now()
    if wanted <= max(call.sandbox.clock.today(), date.fromisoformat(doc["due_date"])):
        raise invalid("the date must be in the future and after the due date", "date")
    doc["respite_date"] = str(wanted)
    interest.count_from(doc, wanted)
    events.record(call.sandbox, doc, "Respite", now, {"date": str(wanted)})
    agenda.watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def remove_respite(call: Call, doc: Json, body: Json) -> None:
    read(Nothing, body)
    removed, now = doc["respite_date"], call.sandbox.clock.now()
    doc["respite_date"] = None
    interest.count_from(doc, max(call.sandbox.clock.today(), agenda.due_day(doc)))
    events.record(call.sandbox, doc, "RespiteRemoved", now, {"date": removed})
    agenda.watch(call.sandbox, doc, now)
    billograms.save(call.sandbox, doc, now)


def _remind(sandbox: Sandbox, doc: Json, at: datetime, method: str, message: str | None) -> None:
    count, fee = doc["reminder_count"] + 1, statute.reminder_fee(doc)
    doc |= {"reminder_count": count, "state": REMINDERS[min(count, len(REMINDERS)) - 1]}
    doc |= {"_was_overdue": True, "_reminded_on": str(civil_day(at))}
    doc["detailed_sums"]["reminder_fee"] += fee
    sum_up(doc)
    _tell_reminder(sandbox, doc, at, method, {"reminder_fee": fee, "reminder_count": count, "message": message})


def _tell_reminder(sandbox: Sandbox, doc: Json, at: datetime, method: str, told: Json) -> None:
    letter = delivery.letter(doc, doc["invoice_no"], method)
    del letter["invoice_no"]
    events.record(sandbox, doc, "ReminderSent", at, letter | told | billograms.told_sums(doc))
