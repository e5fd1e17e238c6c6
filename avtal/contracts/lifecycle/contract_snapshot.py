"""The contract's row: its status and access, at the sale and later."""

from datetime import datetime

from avtal.contracts.access.access import access_at
from avtal.contracts.lifecycle.renewals import is_suspended
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractState, ContractStatus, access_of
from avtal.contracts.schedule import EndReason, Schedule


def snapshot_at_sale(schedule: Schedule, sold_at: datetime) -> ContractSnapshot:
    """The contract's row before its workflow has started."""
    access = access_at(schedule, sold_at, schedule.fixed_end(), sold_at)
    return ContractSnapshot(
        status=ContractStatus.ACTIVE,
        access=access.access,
        reason=access.reason,
        since=access.since,
        ending=schedule.fixed_end(),
    )


def snapshot(state: ContractState, now: datetime) -> ContractSnapshot:
    """The contract's snapshot now; its counter is one higher if something differs from what was written last."""
    access = access_of(state, now)
    same = ContractSnapshot(
        counter=state.counter,
        status=_status(state, now),
        access=access.access,
        reason=access.reason,
        since=access.since,
        ending=state.ending,
        skipped_periods=state.skipped_periods,
    )
    return same if same == state.written else same.model_copy(update={"counter": state.counter + 1})


def _status(state: ContractState, now: datetime) -> ContractStatus:
    if state.ending is not None and now >= state.ending.at:
        return ContractStatus.ENDED
    if state.ending is not None and state.ending.reason is EndReason.CANCELLED:
        return ContractStatus.CANCELLING
    return ContractStatus.SUSPENDED if is_suspended(state, now) else ContractStatus.ACTIVE
