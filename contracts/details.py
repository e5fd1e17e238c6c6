"""What an operator reads of a contract in the Temporal UI: Markdown, from what the contract knows of itself.

Ids, dates, and amounts only: whatever a workflow shows may be read by whoever operates Temporal.
"""

from datetime import datetime

from contracts.bill import STATUS_TEXTS, BillRecord, BillStatus
from contracts.contract import next_due
from contracts.periods import civil_day
from contracts.renewals import access_of, first_unbilled, renewal_at, standing
from contracts.state import ContractState
from contracts.terms import Schedule
from contracts.why import Language, explain


def terms_in_words(schedule: Schedule) -> str:
    """What the contract is, as far as time is concerned."""
    unit, count = schedule.interval.unit, schedule.interval.count
    often = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    until = "until further notice" if schedule.fixed_periods is None else f"for {schedule.fixed_periods} periods"
    return f"Billed {often} from {schedule.anchor} on, {until}, by the days of {schedule.zone}"


def contract_details(state: ContractState, now: datetime) -> str:
    now_told, access = standing(state, now), access_of(state, now)
    why = {language: explain(access, state.schedule, state.ending, state.bills, language) for language in Language}
    lines = [
        f"**{now_told.status}, access {now_told.access}** ({now_told.reason})",
        "",
        why[Language.ENGLISH],
        "",
        f"*{why[Language.SWEDISH]}*",
        "",
        f"* {terms_in_words(state.schedule)}",
        *[_bill_line(state, bill) for bill in state.bills.values()],
        _next_line(state, now),
    ]
    return "\n".join(lines)


def _bill_line(state: ContractState, bill: BillRecord) -> str:
    words = [f"* bill `{bill.bill_id}`: {STATUS_TEXTS[bill.status]}"]
    if bill.parked is not None:
        words.append(f"reason {bill.parked.reason}{f' at {bill.parked.field}' if bill.parked.field else ''}")
    if bill.status is BillStatus.OPEN:
        words.append(f"{bill.remaining_minor // 100}.{bill.remaining_minor % 100:02d} left, due {bill.due_date}")
    retry = state.retries.get(bill.bill_id)
    if retry is not None and retry.at is not None:
        at = f"{retry.at:%Y-%m-%d %H:%M} UTC"
        words.append(f"not taken by the platform {retry.failures} times, tried again at {at}")
    return ", ".join(words)


def _next_line(state: ContractState, now: datetime) -> str:
    """What happens next if nothing happens."""
    due = next_due(state, now)
    if due is None:
        return "* next: nothing by itself; the contract waits for its open bills"
    day = civil_day(due, state.schedule.zone)
    if due == renewal_at(state, now):
        return f"* next: the bill of period {first_unbilled(state)}, on {day}"
    change = access_of(state, now).next_change
    if change is not None and due == change.at:
        return f"* next: access goes {change.to} on {day} ({change.because})"
    return f"* next: on {day}, at {due:%H:%M} UTC"
