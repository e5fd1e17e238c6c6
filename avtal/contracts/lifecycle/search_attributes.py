"""The values by which a contract is found in Temporal's list of workflows. No personal data."""

from datetime import datetime

from avtal.contracts.access.access import Access
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.contract_snapshot import snapshot
from avtal.contracts.lifecycle.state import ContractState, ContractStatus
from avtal.contracts.schedule import is_billed


class SearchAttributeValues(Frozen):
    """`parked` holds the reasons of the parked bills, each once; `next_renewal` is when the next period begins that
    will be billed, or None."""

    status: ContractStatus
    access: Access
    parked: tuple[str, ...] = ()
    next_renewal: datetime | None = None


def search_attribute_values(state: ContractState, now: datetime) -> SearchAttributeValues:
    """The same before and after the bills that are due at `now` were requested."""
    current = snapshot(state, now)
    reasons = {bill.parked.reason.value for bill in state.bills.values() if bill.parked is not None}
    return SearchAttributeValues(
        status=current.status,
        access=current.access,
        parked=tuple(sorted(reasons)),
        next_renewal=None if current.status is ContractStatus.SUSPENDED else _next_renewal(state, now),
    )


def _next_renewal(state: ContractState, now: datetime) -> datetime | None:
    number = max(state.next_period, 1)
    while is_billed(state.schedule, number, state.ending):
        if (at := state.schedule.renewal_instant(number)) > now:
            return at
        number += 1
    return None
