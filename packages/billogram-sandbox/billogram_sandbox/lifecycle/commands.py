"""The commands on a billogram: allowed states, conditions, results.

    command            allowed in                    only if                    leads to
    send               Unattested                                               Unpaid; Ended if its total is zero
    sell               Unattested               its total is more than zero     Factoring; Sold the next day
    resend             the unpaid family                                        the same state
    remind             the unpaid family             past due                   Reminder_1, _2, _3, _Many
    collect            the unpaid family             past due                   Collecting; Collection the next day
    payment            the unpaid family                                        PartlyPaid; Paid if nothing remains
    credit             the unpaid family, Paid,                                 Credited if nothing remains, or if a
                       Ended, Sold                                              settled one is fully credited
    writeoff           the unpaid family             only fees remain           Paid
    writedown          the unpaid family             not written down           the same state
    revert-writedown   the unpaid family             written down               the same state
    confirmed-loss     the unpaid family,            something remains          Ended
                       Collection, CollectorEnded
    respite            the unpaid family                                        the same state
    remove-respite     the unpaid family             has respite                the same state
    attach             any that has not ended                                   the same state
    credit-payment     none: stand-alone credit invoices must be enabled by Billogram
    message            any                                                      the same state

The unpaid family is Unpaid, PartlyPaid, Overdue, and the reminders.
"""

from collections.abc import Callable
from typing import NamedTuple

from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import ApiError, wrong_state
from billogram_sandbox.lifecycle import collection, factoring, lateness, schedule, sending, settlement
from billogram_sandbox.registers import attachments, billograms, messages
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.states import CREDITABLE, EVERY, LOSABLE, NOT_ENDED, UNATTESTED, UNPAID_FAMILY


class Condition(NamedTuple):
    holds: Callable[[RequestContext, Json], bool]
    otherwise: str


class Command(NamedTuple):
    allowed: frozenset[str]
    perform: Callable[[RequestContext, Json, Json], None]
    only_if: Condition | None = None


PAST_DUE = Condition(lambda context, doc: schedule.is_late(doc, context.sandbox.clock.today()), "it is not past due")
ONLY_FEES = Condition(lambda _, doc: settlement.only_fees_remain(doc), "more than fees remains, or nothing")
SOMETHING_REMAINS = Condition(lambda _, doc: bool(doc["remaining_sum"] > 0), "nothing remains")
WRITTEN_DOWN = Condition(lambda _, doc: bool(doc.get("_written_down")), "it is not written down")
NOT_WRITTEN_DOWN = Condition(lambda _, doc: not doc.get("_written_down"), "it is already written down")
HAS_RESPITE = Condition(lambda _, doc: bool(doc["respite_date"]), "it has no respite")


def _refuse_credit_payment(_: RequestContext, __: Json, ___: Json) -> None:
    raise ApiError(403, "PERMISSION_DENIED", "stand-alone credit invoices are not enabled")


COMMANDS = {
    "send": Command(frozenset({UNATTESTED}), sending.send),
    "sell": Command(frozenset({UNATTESTED}), factoring.sell),
    "resend": Command(UNPAID_FAMILY, sending.resend),
    "remind": Command(UNPAID_FAMILY, lateness.remind, PAST_DUE),
    "collect": Command(UNPAID_FAMILY, collection.collect, PAST_DUE),
    "payment": Command(UNPAID_FAMILY, settlement.register_payment),
    "credit": Command(CREDITABLE, settlement.credit),
    "writeoff": Command(UNPAID_FAMILY, settlement.write_off, ONLY_FEES),
    "writedown": Command(UNPAID_FAMILY, settlement.write_down, NOT_WRITTEN_DOWN),
    "revert-writedown": Command(UNPAID_FAMILY, settlement.revert_write_down, WRITTEN_DOWN),
    "confirmed-loss": Command(LOSABLE, settlement.confirm_loss, SOMETHING_REMAINS),
    "respite": Command(UNPAID_FAMILY, lateness.grant_respite),
    "remove-respite": Command(UNPAID_FAMILY, lateness.remove_respite, HAS_RESPITE),
    "attach": Command(NOT_ENDED, attachments.attach),
    "credit-payment": Command(EVERY, _refuse_credit_payment),
    "message": Command(EVERY, messages.send),
}


def run(context: RequestContext) -> Json:
    name = context.path["command"]
    command = COMMANDS.get(name)
    if command is None:
        raise ApiError(404, "NOT_FOUND", f"no command {name}")
    doc = billograms.load_one(context.sandbox, context.path["id"])
    if doc["state"] not in command.allowed:
        raise wrong_state(f"{name} is not possible in state {doc['state']}")
    if command.only_if and not command.only_if.holds(context, doc):
        raise wrong_state(f"{name} is not possible: {command.only_if.otherwise}")
    command.perform(context, doc, context.body)
    return billograms.response(context, doc)
