"""The Markdown that an operator reads of a contract in the Temporal UI.

Ids, dates, and amounts only: everyone who operates Temporal can read it.
"""

from datetime import datetime

from avtal.contracts.access.explanation import Language, explain
from avtal.contracts.bills.bill import STATUS_TEXTS, BillSnapshot, BillStatus
from avtal.contracts.lifecycle.contract_snapshot import snapshot
from avtal.contracts.lifecycle.renewals import first_unbilled, renewal_at
from avtal.contracts.lifecycle.state import ContractState, access_of
from avtal.contracts.lifecycle.transitions import next_due
from avtal.contracts.periods import civil_day
from avtal.contracts.schedule import Schedule


def schedule_text(schedule: Schedule) -> str:
    """How often and until when the contract is billed."""
    unit, count = schedule.interval.unit, schedule.interval.count
    often = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    until = "until further notice" if schedule.fixed_periods is None else f"for {schedule.fixed_periods} periods"
    return f"Billed {often} from {schedule.anchor}, {until}, in the time zone {schedule.zone}"


def contract_details(state: ContractState, now: datetime) -> str:
    current, access = snapshot(state, now), access_of(state, now)
    why = {language: explain(access, state.schedule, state.ending, state.bills, language) for language in Language}
    lines = [
        f"**{current.status}, access {current.access}** ({current.reason})",
        "",
        why[Language.ENGLISH],
        "",
        f"*{why[Language.SWEDISH]}*",
        "",
        f"* {schedule_text(state.schedule)}",
        *[_bill_line(state, bill) for bill in state.bills.values()],
        _next_line(state, now),
    ]
    return "\n".join(lines)


def _bill_line(state: ContractState, bill: BillSnapshot) -> str:
    parts = [f"* bill `{bill.bill_id}`: {STATUS_TEXTS[bill.status]}"]
    if bill.parked is not None:
        parts.append(f"reason {bill.parked.reason}{f' at {bill.parked.field}' if bill.parked.field else ''}")
    if bill.status is BillStatus.OPEN:
        remaining = f"{bill.remaining_minor // 100}.{bill.remaining_minor % 100:02d}"
        parts.append(f"{remaining} remaining, due {bill.due_date}")
    retry = state.retries.get(bill.bill_id)
    if retry is not None and retry.at is not None:
        at = f"{retry.at:%Y-%m-%d %H:%M} UTC"
        parts.append(f"failed at the platform {retry.failures} times, next attempt at {at}")
    return ", ".join(parts)


def _next_line(state: ContractState, now: datetime) -> str:
    due = next_due(state, now)
    if due is None:
        return "* next: the contract waits for its open bills"
    day = civil_day(due, state.schedule.zone)
    if due == renewal_at(state, now):
        return f"* next: the bill of period {first_unbilled(state)}, on {day}"
    change = access_of(state, now).next_change
    if change is not None and due == change.at:
        return f"* next: access goes {change.to} on {day} ({change.because})"
    return f"* next: on {day}, at {due:%H:%M} UTC"
