"""Operators' commands on a contract's state: cancel, revoke the cancellation, retry or waive a bill.

Each is a function of the state, may be repeated without harm, and raises CommandRefused with what to do instead.
"""

from datetime import datetime

from avtal.contracts.bills.bill import NEEDS_REVISION, BillSnapshot, BillStatus, bill_id, bill_parts
from avtal.contracts.lifecycle.state import REMEMBERED_BILLS_MAX, ContractState, Retry
from avtal.contracts.lifecycle.transitions import bill_changed, with_withdrawn_requested_again
from avtal.contracts.schedule import CancelAt, CommandRefused, cancellation


def cancel(state: ContractState, contract_id: str, at: CancelAt, now: datetime) -> ContractState:
    """A later end gives back the periods that an earlier one withdrew. Raises CommandRefused."""
    cancelled = state.model_copy(update={"ending": cancellation(state.schedule, state.ending, at, now)})
    return with_withdrawn_requested_again(cancelled, contract_id, now)


def revoke_cancellation(state: ContractState, contract_id: str, now: datetime) -> ContractState:
    """The contract without its cancellation; without one it stays as it is. Raises CommandRefused if it has ended."""
    if state.ending is not None and now >= state.ending.at:
        raise CommandRefused(f"the contract ended on {state.ending.on}; sell a new one")
    revoked = state.model_copy(update={"ending": state.schedule.fixed_end()})
    return with_withdrawn_requested_again(revoked, contract_id, now)


def retry_bill(state: ContractState, contract_id: str, identity: str, now: datetime) -> tuple[ContractState, str]:
    """The state in which a parked or failing bill is due at once, and the id of the bill that will be made.

    A bill that is being made stays as it is; one that became a later revision is that one. Raises CommandRefused.
    """
    bill = _later_revision(state, identity) or _retryable_bill(state, identity)
    if bill.bill_id != identity:
        return state, bill.bill_id
    if identity in state.retries and state.retries[identity].at is None:
        return state, identity
    if bill.parked is None or bill.parked.reason not in NEEDS_REVISION:
        again = bill.model_copy(update={"status": BillStatus.CREATING, "parked": None})
        return _with_bill_due(state, again, now), identity
    revision = bill.revision + 1
    fresh = BillSnapshot(bill_id=bill_id(contract_id, bill.period, revision), period=bill.period, revision=revision)
    return _with_bill_due(_voided(state, identity, now), fresh, now), fresh.bill_id


def waive_bill(state: ContractState, identity: str, now: datetime) -> ContractState:
    """The state after a parked bill was waived; repeated, the same. Raises CommandRefused."""
    if identity in state.waived:
        return state
    bill = _retryable_bill(state, identity)
    if bill.parked is None:
        raise CommandRefused(
            f"the bill {identity} waits for the platform, which may hold it already; only a parked bill can be waived"
        )
    waived = (*state.waived, identity)[-REMEMBERED_BILLS_MAX:]
    return _voided(state, identity, now).model_copy(update={"waived": waived})


def _with_bill_due(state: ContractState, bill: BillSnapshot, now: datetime) -> ContractState:
    bills, retries = {**state.bills, bill.bill_id: bill}, {**state.retries, bill.bill_id: Retry(at=now)}
    return state.model_copy(update={"bills": bills, "retries": retries})


def _voided(state: ContractState, identity: str, now: datetime) -> ContractState:
    bill = state.bills[identity]
    void = bill.model_copy(update={"version": bill.version + 1, "status": BillStatus.VOID})
    return bill_changed(state, void, now)


def _later_revision(state: ContractState, identity: str) -> BillSnapshot | None:
    """The later revision of a bill that was made anew."""
    parts = bill_parts(identity)
    if identity in state.bills or parts is None:
        return None
    _, period, revision = parts
    later = [bill for bill in state.bills.values() if bill.period == period and bill.revision > revision]
    return later[0] if later else None


def _retryable_bill(state: ContractState, identity: str) -> BillSnapshot:
    bill = state.bills.get(identity)
    if bill is None:
        raise CommandRefused(f"the contract has no open bill {identity}")
    if bill.parked is not None or identity in state.retries:
        return bill
    raise CommandRefused(
        f"the bill {identity} is {bill.status}, neither parked nor failing: there is nothing to retry or to waive"
    )
