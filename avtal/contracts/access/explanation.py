"""Explains in one sentence, in English or Swedish, why access is on or off: since when, by which bill and which line of
the policy, and what would change it."""

from collections.abc import Mapping
from enum import StrEnum

from avtal.contracts.access.access import BILL_REASONS, Access, AccessNow, AccessReason, grace_ends
from avtal.contracts.bills.bill import BillSnapshot, BillStatus
from avtal.contracts.periods import civil_day, local_midnight
from avtal.contracts.policy import OnLoss
from avtal.contracts.schedule import Ending, EndReason, Schedule


class Language(StrEnum):
    ENGLISH = "en"
    SWEDISH = "sv"


def explain(
    access: AccessNow,
    schedule: Schedule,
    ending: Ending | None,
    bills: Mapping[str, BillSnapshot],
    language: Language = Language.ENGLISH,
) -> str:
    """`bills` are the contract's open and lost ones."""
    key, values = _text_of(access, schedule, ending, bills)
    return TEXTS[language][key].format(**values)


def _text_of(
    access: AccessNow, schedule: Schedule, ending: Ending | None, bills: Mapping[str, BillSnapshot]
) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {
        "since": civil_day(access.since, schedule.zone),
        "start": schedule.anchor,
        "periods": schedule.fixed_periods,
        "on": ending.on if ending else None,
    }
    if access.access is Access.ON:
        return _text_of_access_on(access, schedule, ending, bills, values)
    if access.reason in BILL_REASONS and not (access.blocking and access.blocking[0] in bills):
        return "settled", values
    if access.reason in BILL_REASONS:
        key = f"{access.reason}_many" if len(access.blocking) > 1 else access.reason.value
        return key, values | _bill_values(bills[access.blocking[0]], schedule.zone) | {
            "all": ", ".join(access.blocking)
        }
    if access.reason is AccessReason.NOT_STARTED and ending and _never_starts(schedule, ending):
        return "never_starts", values
    if ending is not None and ending.reason is EndReason.UNPAID:
        return "ended_unpaid", values
    return access.reason.value, values


def _text_of_access_on(
    access: AccessNow,
    schedule: Schedule,
    ending: Ending | None,
    bills: Mapping[str, BillSnapshot],
    values: dict[str, object],
) -> tuple[str, dict[str, object]]:
    change = access.next_change
    if change is not None and change.bill_id is not None and change.bill_id in bills:
        goes_off = {"goes_off": civil_day(change.at, schedule.zone)}
        return "in_grace", values | _bill_values(bills[change.bill_id], schedule.zone) | goes_off
    if ending is not None:
        return ("cancelling" if ending.reason is EndReason.CANCELLED else "fixed_term"), values
    unpaid = [bill for bill in bills.values() if bill.status in (BillStatus.EXPIRED, BillStatus.OPEN)]
    if unpaid:
        first = min(unpaid, key=lambda bill: (bill.status is not BillStatus.EXPIRED, bill.period))
        return _text_of_unpaid(first), values | _bill_values(first, schedule.zone)
    return "running", values


def _text_of_unpaid(bill: BillSnapshot) -> str:
    """Why this unpaid bill leaves access on."""
    if bill.status is BillStatus.EXPIRED:
        return "lost_kept" if bill.on_loss is OnLoss.KEEP_ACCESS else "lost_now"
    return "open_kept" if bill.grace_days is None else "unsure"


def _bill_values(bill: BillSnapshot, zone: str) -> dict[str, object]:
    return {
        "bill": bill.bill_id,
        "left": f"{bill.remaining_minor // 100}.{bill.remaining_minor % 100:02d}",
        "due": bill.due_date,
        "grace": bill.grace_days,
        "grace_ends": grace_ends(bill),
        "version": bill.policy_version,
        "lost": civil_day(bill.lost_at, zone) if bill.lost_at else None,
    }


def _never_starts(schedule: Schedule, ending: Ending) -> bool:
    return ending.at <= local_midnight(schedule.anchor, schedule.zone)


TEXTS: dict[Language, dict[str, str]] = {
    Language.ENGLISH: {
        "running": "Access is on: the contract runs until further notice. A cancellation would end it.",
        "open_kept": (
            "Access is on: bill {bill} is open ({left} left, due {due}), and unpaid bills change nothing, for no grace "
            "period is configured (grace_days, policy version {version}). A cancellation would end it."
        ),
        "lost_kept": (
            "Access is on: bill {bill} became a loss on {lost}, and the policy keeps access (on_loss, policy "
            "version {version}). A cancellation would end it."
        ),
        "unsure": (
            "Access is on: bill {bill} ({left} left) was due on {due} and its grace ended on {grace_ends} (grace_days, "
            "policy version {version}), but Billogram has not confirmed yet that it is still unpaid. Access goes off "
            "when it has."
        ),
        "lost_now": (
            "Access is on, and is being turned off: bill {bill} became a loss on {lost} with {left} left "
            "(on_loss, policy version {version})."
        ),
        "settled": ("Access is off since {since}, and is being turned on: the bill that turned it off is settled."),
        "in_grace": (
            "Access is on until {goes_off}: bill {bill} ({left} left) is due on {due}, and {grace} days of grace end "
            "on {grace_ends} (grace_days, policy version {version}). Payment or credit of it keeps access on."
        ),
        "cancelling": (
            "Access is on: the contract is cancelled from {on}. Revoking the cancellation would keep it on."
        ),
        "fixed_term": "Access is on: the contract runs for {periods} periods, until {on}.",
        "never_starts": "Access is off: the contract was cancelled before its start on {start}.",
        "not_started": "Access is off: the contract starts on {start} and turns it on then.",
        "cancelled": "Access is off: the contract was cancelled, and {on} was its first day without access.",
        "ended": "Access is off: the contract's {periods} periods ended on {on}.",
        "ended_unpaid": (
            "Access is off: a bill was unpaid past its grace when the next period began, and the policy ended the "
            "contract on {on} (renewal_while_off). A new sale is needed to turn it on."
        ),
        "past_grace": (
            "Access is off since {since}: bill {bill} ({left} left) was due on {due}, and its {grace} days of grace "
            "ended on {grace_ends} (grace_days, policy version {version}). Payment or credit of it turns access on."
        ),
        "past_grace_many": (
            "Access is off since {since}: bill {bill} ({left} left) was due on {due}, and its {grace} days of grace "
            "ended on {grace_ends} (grace_days, policy version {version}). Payment or credit of all of {all} turns "
            "access on."
        ),
        "loss": (
            "Access is off since {since}: bill {bill} became a loss on {lost} with {left} left (on_loss, "
            "policy version {version}). Payment or credit of it turns access on."
        ),
        "loss_many": (
            "Access is off since {since}: bill {bill} became a loss on {lost} with {left} left (on_loss, "
            "policy version {version}). Payment or credit of all of {all} turns access on."
        ),
    },
    Language.SWEDISH: {
        "running": "Åtkomsten är på: avtalet löper tills vidare. En uppsägning skulle avsluta det.",
        "open_kept": (
            "Åtkomsten är på: faktura {bill} är öppen ({left} kvar, förfaller {due}), och obetalda fakturor ändrar "
            "inget, för ingen respit är inställd (grace_days, policyversion {version}). En uppsägning skulle avsluta "
            "avtalet."
        ),
        "lost_kept": (
            "Åtkomsten är på: faktura {bill} avskrevs som förlust {lost}, och policyn behåller åtkomsten (on_loss, "
            "policyversion {version}). En uppsägning skulle avsluta avtalet."
        ),
        "unsure": (
            "Åtkomsten är på: faktura {bill} ({left} kvar) förföll {due} och dess respit slutade {grace_ends} "
            "(grace_days, policyversion {version}), men Billogram har ännu inte bekräftat att den är obetald. "
            "Åtkomsten slås av när det är bekräftat."
        ),
        "lost_now": (
            "Åtkomsten är på och håller på att slås av: faktura {bill} avskrevs som förlust {lost} med {left} kvar "
            "(on_loss, policyversion {version})."
        ),
        "settled": ("Åtkomsten är av sedan {since} och håller på att slås på: fakturan som slog av den är reglerad."),
        "in_grace": (
            "Åtkomsten är på till {goes_off}: faktura {bill} ({left} kvar) förfaller {due}, och {grace} dagars respit "
            "slutar {grace_ends} (grace_days, policyversion {version}). Betalas eller krediteras den förblir åtkomsten "
            "på."
        ),
        "cancelling": "Åtkomsten är på: avtalet är uppsagt från {on}. Återtas uppsägningen förblir åtkomsten på.",
        "fixed_term": "Åtkomsten är på: avtalet löper i {periods} perioder, till {on}.",
        "never_starts": "Åtkomsten är av: avtalet sades upp före sin start {start}.",
        "not_started": "Åtkomsten är av: avtalet startar {start}, och då slås den på.",
        "cancelled": "Åtkomsten är av: avtalet sades upp, och {on} var första dagen utan åtkomst.",
        "ended": "Åtkomsten är av: avtalets {periods} perioder tog slut {on}.",
        "ended_unpaid": (
            "Åtkomsten är av: en faktura var obetald efter sin respit när nästa period började, och policyn avslutade "
            "avtalet {on} (renewal_while_off). En ny försäljning behövs för att slå på den."
        ),
        "past_grace": (
            "Åtkomsten är av sedan {since}: faktura {bill} ({left} kvar) förföll {due}, och dess {grace} dagars respit "
            "slutade {grace_ends} (grace_days, policyversion {version}). Betalas eller krediteras den slås åtkomsten "
            "på."
        ),
        "past_grace_many": (
            "Åtkomsten är av sedan {since}: faktura {bill} ({left} kvar) förföll {due}, och dess {grace} dagars respit "
            "slutade {grace_ends} (grace_days, policyversion {version}). Betalas eller krediteras alla av {all} slås "
            "åtkomsten på."
        ),
        "loss": (
            "Åtkomsten är av sedan {since}: faktura {bill} avskrevs som förlust {lost} med {left} kvar (on_loss, "
            "policyversion {version}). Betalas eller krediteras den slås åtkomsten på."
        ),
        "loss_many": (
            "Åtkomsten är av sedan {since}: faktura {bill} avskrevs som förlust {lost} med {left} kvar (on_loss, "
            "policyversion {version}). Betalas eller krediteras alla av {all} slås åtkomsten på."
        ),
    },
}
