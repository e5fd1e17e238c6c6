"""By what a contract is found in Temporal's list, from what it knows of itself. No personal data."""

from datetime import datetime

from contracts.access import Access
from contracts.record import Record
from contracts.renewals import standing
from contracts.state import ContractState, ContractStatus
from contracts.terms import is_billed


class Marks(Record):
    """`parked` are the reasons of its parked bills, each once; `next_renewal` is when the next period begins that
    will be billed, or None."""

    status: ContractStatus
    access: Access
    parked: tuple[str, ...] = ()
    next_renewal: datetime | None = None


def marks(state: ContractState, now: datetime) -> Marks:
    """The same before and after the bills that are due at `now` have been ordered."""
    now_told = standing(state, now)
    reasons = {bill.parked.reason.value for bill in state.bills.values() if bill.parked is not None}
    return Marks(
        status=now_told.status,
        access=now_told.access,
        parked=tuple(sorted(reasons)),
        next_renewal=None if now_told.status is ContractStatus.SUSPENDED else _next_renewal(state, now),
    )


def _next_renewal(state: ContractState, now: datetime) -> datetime | None:
    number = max(state.next_period, 1)
    while is_billed(state.schedule, number, state.ending):
        if (at := state.schedule.renewal_instant(number)) > now:
            return at
        number += 1
    return None
