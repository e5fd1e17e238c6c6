"""Which periods are billed, and when. No period is skipped except those that passed wholly without access.

A due renewal is held, and made as soon as nothing holds it any more, while

    a bill is lost, and the policy turns access off for it
    access is off past grace, or about to go off, unless the policy bills anyway (EDGE-11)
    as many bills are unpaid as the policy allows

A contract whose policy says `end` ends at the boundary instead, if access is off there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from avtal.contracts.access.access import AccessReason
from avtal.contracts.lifecycle.state import (
    ContractState,
    SkippedPeriods,
    access_of,
    blocks,
    unpaid_bills,
    unverified_blocks,
)
from avtal.contracts.periods import Period
from avtal.contracts.policy import RenewalWhileOff
from avtal.contracts.schedule import Ending, EndReason, bills_at, due_periods, is_billed

UNLIMITED = 1_000_000
INSTANT = timedelta(microseconds=1)


def renewals_due(state: ContractState, now: datetime) -> Iterator[Period]:
    """The periods whose first bill is to be made now."""
    room = 0 if _is_about_to_go_off(state, now) else _room(state, now)
    for period in _billable(state, now):
        if room <= 0:
            return
        room -= 1
        yield period


def renewal_at(state: ContractState, now: datetime) -> datetime | None:
    """When the next renewal falls due; None if it is due and held, or if none is to come."""
    number = first_unbilled(state)
    if not is_billed(state.schedule, number, state.ending):
        return None
    at = bills_at(state.schedule, number, state.sold_at, state.billing_time)
    if at > now or (_room(state, now) > 0 and not _is_about_to_go_off(state, now)):
        return at
    if state.renewal_terms.while_off is not RenewalWhileOff.END or not access_of(state, now).blocking:
        return None
    following = state.schedule.period_at(now).number + 1
    return state.schedule.renewal_instant(max(number, following))


def end_if_unpaid(state: ContractState, now: datetime) -> ContractState:
    """The state after the policy has ended a contract whose access was off at a boundary; else the same.

    A boundary whose renewal was held while access was still on does not end the contract.
    """
    access = access_of(state, now)
    if state.renewal_terms.while_off is not RenewalWhileOff.END or not access.blocking:
        return state
    number = max(first_unbilled(state), 1)
    while (at := state.schedule.renewal_instant(number)) < access.since:
        number += 1
    if at > now or not is_billed(state.schedule, number, state.ending):
        return state
    ending = Ending(on=state.schedule.period(number).start, at=at, reason=EndReason.UNPAID)
    return state.model_copy(update={"ending": ending})


def with_access_restored(before: ContractState, after: ContractState, now: datetime) -> ContractState:
    """`after`, and what follows if it removes the last block: access is on again, and periods that passed wholly
    without access are never billed."""
    if not access_of(before, now).blocking or access_of(after, now).blocking:
        return after
    skipped = _skip_without_access(before, now).skipped_periods
    return after.model_copy(update={"access_restored_at": now, "skipped_periods": skipped})


def apply_ending(state: ContractState, now: datetime) -> ContractState:
    """The state after its end, if that has come: what passed without access up to the end is never billed, whatever is
    paid later."""
    if state.ending is None or now < state.ending.at:
        return state
    return _skip_without_access(state, now)


def is_suspended(state: ContractState, now: datetime) -> bool:
    """Whether a bill is lost, or a due renewal is held for another reason than a verification."""
    is_held = _room(state, now) <= 0 and next(_billable(state, now), None) is not None
    return is_held or _is_lost(state, now)


def first_unbilled(state: ContractState) -> int:
    number = state.next_period
    while _is_skipped(state, number):
        number += 1
    return number


def _skip_without_access(state: ContractState, now: datetime) -> ContractState:
    """Skips the unbilled periods that began after access went off and have passed, or were cut off by the end. A policy
    that bills while off bills them, unless a bill is lost."""
    ending = state.ending
    has_ended = ending is not None and ending.at <= now
    access = access_of(state, ending.at - INSTANT if ending is not None and has_ended else now)
    is_billed_while_off = state.renewal_terms.while_off is RenewalWhileOff.BILL
    if not access.blocking or (is_billed_while_off and access.reason is AccessReason.PAST_GRACE):
        return state
    numbers = [
        period.number
        for period in due_periods(state.schedule, max(first_unbilled(state), 1), ending, state.sold_at, now)
        if state.schedule.renewal_instant(period.number) >= access.since
        and (has_ended or state.schedule.renewal_instant(period.number + 1) <= now)
        and not _is_skipped(state, period.number)
    ]
    if not numbers:
        return state
    skipped = (*state.skipped_periods, SkippedPeriods(first=numbers[0], last=numbers[-1]))
    return state.model_copy(update={"skipped_periods": skipped})


def _room(state: ContractState, now: datetime) -> int:
    """How many bills may be made now."""
    access = access_of(state, now)
    is_billed_while_off = state.renewal_terms.while_off is RenewalWhileOff.BILL
    if (access.reason is AccessReason.PAST_GRACE and not is_billed_while_off) or _is_lost(state, now):
        return 0
    max_open_bills = state.renewal_terms.max_open_bills
    return UNLIMITED if max_open_bills is None else max_open_bills - unpaid_bills(state)


def _is_about_to_go_off(state: ContractState, now: datetime) -> bool:
    """A bill past its grace is being verified: the renewal waits for the result."""
    is_billed_while_off = state.renewal_terms.while_off is RenewalWhileOff.BILL
    return not is_billed_while_off and bool(unverified_blocks(state, now))


def _is_lost(state: ContractState, now: datetime) -> bool:
    return any(block.reason is AccessReason.LOSS and block.at <= now for block in blocks(state, now))


def _billable(state: ContractState, now: datetime) -> Iterator[Period]:
    """Due and not billed, whether held or not."""
    due = due_periods(state.schedule, first_unbilled(state), state.ending, state.sold_at, now, state.billing_time)
    return (period for period in due if not _is_skipped(state, period.number))


def _is_skipped(state: ContractState, number: int) -> bool:
    return any(skipped.first <= number <= skipped.last for skipped in state.skipped_periods)
