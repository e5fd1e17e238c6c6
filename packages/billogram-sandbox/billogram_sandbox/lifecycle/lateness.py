"""Late payment: overdue, interest, reminders, respite. Their days: `schedule.py`. Fee limits: `rules/statute.py`.

    reminder            event                                        fee                            reminder_count
    by command          ReminderSent                                 the billogram's reminder_fee   raised by one
    automatic           ReminderSent                                 the billogram's reminder_fee   raised by one
    soft                ReminderSent, with a reminder_fee of zero    none                           unchanged

A soft reminder changes neither sums nor state.
"""

from datetime import date, datetime

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import invalid
from billogram_sandbox.lifecycle import delivery, schedule
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules import interest, statute
from billogram_sandbox.rules.money import update_sums
from billogram_sandbox.rules.states import OVERDUE, PARTLY_PAID, REMINDERS, UNPAID
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import NoArguments, Remind, Respite
from billogram_sandbox.shapes.values import parse


def become_overdue(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc |= {"state": OVERDUE, "_was_overdue": True}
    events.publish(sandbox, doc, "Overdue", at, billograms.current_sums(doc))


def start_interest(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    """The event has the rate: the amount grows daily."""
    due = schedule.due_day(doc)
    interest.start(doc, max(due, date.fromisoformat(doc.get("_reopened_on", str(due)))), civil_day(at))
    events.publish(sandbox, doc, "InterestStarted", at, {"interest_rate": doc["interest_rate"]})


def send_soft_reminder(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    """Skipped if its day is past."""
    following = schedule.next_soft_reminder(doc)
    assert following is not None
    day, reminder = following
    doc["_soft_until"] = reminder["delay_days"]
    if day >= civil_day(at):
        data = {"reminder_fee": 0, "reminder_count": doc["reminder_count"], "message": reminder["message"]}
        _publish_reminder(sandbox, doc, at, delivery.default_resend_method(doc), data)


def send_automatic_reminder(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    message = doc["automatic_reminders_settings"][doc["reminder_count"]]["message"]
    _send_reminder(sandbox, doc, at, delivery.default_resend_method(doc), message)


def state_when_open(doc: Json, today: date) -> str:
    """The state of a settled or collected billogram that is reopened."""
    if schedule.is_late(doc, today):
        return REMINDERS[min(doc["reminder_count"], len(REMINDERS)) - 1] if doc["reminder_count"] else OVERDUE
    return PARTLY_PAID if doc["detailed_sums"]["paid_sum"] else UNPAID


def reopen(sandbox: Sandbox, doc: Json, now: datetime) -> None:
    """Without a second event `Overdue`. The days in between bear no interest."""
    today = sandbox.clock.today()
    is_late = schedule.is_late(doc, today)
    doc |= {"state": state_when_open(doc, today), "_was_overdue": is_late, "_reopened_on": str(today)}
    interest.restart_from(doc, max(today, schedule.due_day(doc)))
    schedule.update(sandbox, doc, now)


def remind(context: RequestContext, doc: Json, body: Json) -> None:
    wanted, now = parse(Remind, body), context.sandbox.clock.now()
    _send_reminder(context.sandbox, doc, now, delivery.resend_method(doc, wanted.method), wanted.message)
    schedule.update(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def grant_respite(context: RequestContext, doc: Json, body: Json) -> None:
    wanted, now = date.fromisoformat(parse(Respite, body).date), context.sandbox.clock.now()
    if wanted <= max(context.sandbox.clock.today(), date.fromisoformat(doc["due_date"])):
        raise invalid("the date must be in the future and after the due date", "date")
    doc["respite_date"] = str(wanted)
    interest.restart_from(doc, wanted)
    events.publish(context.sandbox, doc, "Respite", now, {"date": str(wanted)})
    schedule.update(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def remove_respite(context: RequestContext, doc: Json, body: Json) -> None:
    parse(NoArguments, body)
    removed, now = doc["respite_date"], context.sandbox.clock.now()
    doc["respite_date"] = None
    interest.restart_from(doc, max(context.sandbox.clock.today(), schedule.due_day(doc)))
    events.publish(context.sandbox, doc, "RespiteRemoved", now, {"date": removed})
    schedule.update(context.sandbox, doc, now)
    billograms.save(context.sandbox, doc, now)


def _send_reminder(sandbox: Sandbox, doc: Json, at: datetime, method: str, message: str | None) -> None:
    count, fee = doc["reminder_count"] + 1, statute.reminder_fee(doc)
    doc |= {"reminder_count": count, "state": REMINDERS[min(count, len(REMINDERS)) - 1]}
    doc |= {"_was_overdue": True, "_reminded_on": str(civil_day(at))}
    doc["detailed_sums"]["reminder_fee"] += fee
    update_sums(doc)
    _publish_reminder(sandbox, doc, at, method, {"reminder_fee": fee, "reminder_count": count, "message": message})


def _publish_reminder(sandbox: Sandbox, doc: Json, at: datetime, method: str, data: Json) -> None:
    letter = delivery.new_letter(doc, doc["invoice_no"], method)
    del letter["invoice_no"]
    events.publish(sandbox, doc, "ReminderSent", at, letter | data | billograms.current_sums(doc))
