"""What people ask of a contract: to end it, to take that back, to make a stopped bill again, or to give one up.

Each is a function of the state, may be asked again without harm, and raises Refused with what to do instead.
"""

from datetime import datetime

from contracts.bill import NEEDS_REVISION, BillRecord, BillStatus, bill_id, bill_parts
from contracts.contract import noted, with_withdrawn_again
from contracts.state import DROPPED_KEPT_MAX, ContractState, Retry
from contracts.terms import CancelAt, Refused, cancellation


def cancelled(state: ContractState, at: CancelAt, now: datetime) -> ContractState:
    """Raises Refused."""
    return state.model_copy(update={"ending": cancellation(state.schedule, state.ending, at, now)})


def revoked(state: ContractState, contract_id: str, now: datetime) -> ContractState:
    """The contract without its cancellation; a contract without one stays as it is. Raises Refused if it is over."""
    if state.ending is not None and now >= state.ending.at:
        raise Refused(f"the contract ended on {state.ending.on}; sell a new one")
    kept_on = state.model_copy(update={"ending": state.schedule.fixed_end()})
    return with_withdrawn_again(kept_on, contract_id, now)


def retried(state: ContractState, contract_id: str, identity: str, now: datetime) -> tuple[ContractState, str]:
    """The state in which a stopped bill is made again at once, and the id of the bill that will be made.

    One that is being made at this moment stays as it is; one that became a later revision is that. Raises Refused.
    """
    bill = _renewed(state, identity) or _stopped(state, identity)
    if bill.bill_id != identity:
        return state, bill.bill_id
    if identity in state.retries and state.retries[identity].at is None:
        return state, identity
    if bill.parked is None or bill.parked.reason not in NEEDS_REVISION:
        again = bill.model_copy(update={"status": BillStatus.CREATING, "parked": None})
        return state.model_copy(
            update={
                "bills": {**state.bills, identity: again},
                "retries": {**state.retries, identity: Retry(at=now)},
            }
        ), identity
    revision = bill.revision + 1
    renewed = bill_id(contract_id, bill.period, revision)
    fresh = BillRecord(bill_id=renewed, period=bill.period, revision=revision)
    kept = _voided(state, identity, now)
    return kept.model_copy(
        update={"bills": {**kept.bills, renewed: fresh}, "retries": {**kept.retries, renewed: Retry(at=now)}}
    ), renewed


def waived(state: ContractState, identity: str, now: datetime) -> ContractState:
    """The state after a parked bill was given up; given up again, the same. Raises Refused."""
    if identity in state.given_up:
        return state
    bill = _stopped(state, identity)
    if bill.parked is None:
        raise Refused(
            f"the bill {identity} waits for the platform, which may hold it already; only a parked one can be given up"
        )
    given_up = (*state.given_up, identity)[-DROPPED_KEPT_MAX:]
    return _voided(state, identity, now).model_copy(update={"given_up": given_up})


def _voided(state: ContractState, identity: str, now: datetime) -> ContractState:
    bill = state.bills[identity]
    return noted(state, bill.model_copy(update={"version": bill.version + 1, "status": BillStatus.VOID}), now)


def _renewed(state: ContractState, identity: str) -> BillRecord | None:
    """The later revision of a bill that was made anew."""
    parts = bill_parts(identity)
    if identity in state.bills or parts is None:
        return None
    _, period, revision = parts
    later = [bill for bill in state.bills.values() if bill.period == period and bill.revision > revision]
    return later[0] if later else None


def _stopped(state: ContractState, identity: str) -> BillRecord:
    bill = state.bills.get(identity)
    if bill is None:
        raise Refused(f"the contract has no open bill {identity}")
    if bill.parked is not None or identity in state.retries:
        return bill
    raise Refused(f"the bill {identity} is {bill.status}, not stopped: there is nothing to retry or to give up")
