"""What a contract carries from event to event, and every rule by which it changes. The workflow only tells when.

A contract knows its open bills; a settled or void one is dropped, and of the last 24 dropped its version is kept, so
that a late word about one of them is known for what it is. A bill that reopens is taken back.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.access import Access, AccessReason, access_at
from contracts.bill import LIVE, NEEDS_REVISION, NOT_MADE, BillRecord, BillStatus, bill_id, bill_parts
from contracts.periods import Period
from contracts.record import Record
from contracts.terms import (
    CancelAt,
    Ending,
    EndReason,
    Refused,
    Schedule,
    bills_at,
    cancellation,
    due_periods,
    is_billed,
)

DROPPED_KEPT_MAX = 24
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
RETRY_THEN = timedelta(hours=6)


class ContractStatus(StrEnum):
    ACTIVE = "active"
    CANCELLING = "cancelling"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Standing(Record):
    """What the workflow owns of the contract's row. A higher counter replaces a lower one."""

    counter: int = 0
    status: ContractStatus
    access: Access
    reason: AccessReason
    since: datetime
    ending: Ending | None = None


class Retry(Record):
    """A bill to be made again at `at`, after `failures` vain creations; None while it is being made."""

    at: datetime | None
    failures: int = 0


class ContractState(Record):
    """Everything that a contract's process carries; it survives continue-as-new and new versions of the code."""

    schedule: Schedule
    sold_at: datetime
    next_period: int = 0
    ending: Ending | None = None
    bills: dict[str, BillRecord] = {}
    retries: dict[str, Retry] = {}
    dropped: dict[str, int] = {}
    given_up: tuple[str, ...] = ()
    counter: int = 0
    told: Standing | None = None
    bills_made: int = 0

    @property
    def is_over(self) -> bool:
        """No bill left that can still change anything."""
        return not any(bill.status in LIVE for bill in self.bills.values())


def opened(schedule: Schedule, sold_at: datetime, row: Standing) -> ContractState:
    """A contract begins with its row. One whose process was lost begins anew so, and finds the bills that it has."""
    return ContractState(schedule=schedule, sold_at=sold_at, ending=row.ending, told=row, counter=row.counter)


def standing_of(
    schedule: Schedule, sold_at: datetime, ending: Ending | None, now: datetime, counter: int = 0
) -> Standing:
    access = access_at(schedule, sold_at, ending, now)
    return Standing(
        counter=counter,
        status=_status(ending, now),
        access=access.access,
        reason=access.reason,
        since=access.since,
        ending=ending,
    )


def standing(state: ContractState, now: datetime) -> Standing:
    """The contract's standing now; its counter has risen if something differs from what was told last."""
    same = standing_of(state.schedule, state.sold_at, state.ending, now, state.counter)
    return same if same == state.told else same.model_copy(update={"counter": state.counter + 1})


def told(state: ContractState, what: Standing) -> ContractState:
    return state.model_copy(update={"told": what, "counter": what.counter})


def bills_to_make(state: ContractState, now: datetime) -> Iterator[tuple[Period, int]]:
    """Each period, with its revision, whose bill is due to be made or tried again by `now`."""
    for identity, retry in state.retries.items():
        if retry.at is not None and retry.at <= now:
            bill = state.bills[identity]
            yield state.schedule.period(bill.period), bill.revision
    for period in due_periods(state.schedule, state.next_period, state.ending, state.sold_at, now):
        yield period, 0


def making(state: ContractState, contract_id: str, period: Period, revision: int) -> ContractState:
    """The state once the creation of this bill has been ordered."""
    identity = bill_id(contract_id, period.number, revision)
    bill = state.bills.get(identity) or BillRecord(bill_id=identity, period=period.number, revision=revision)
    retry = state.retries.get(identity, Retry(at=None)).model_copy(update={"at": None})
    is_new = period.number >= state.next_period
    return state.model_copy(
        update={
            "bills": {**state.bills, identity: bill},
            "retries": {**state.retries, identity: retry},
            "next_period": max(state.next_period, period.number + 1),
            "bills_made": state.bills_made + is_new,
        }
    )


def next_due(state: ContractState, now: datetime) -> datetime | None:
    """The next instant at which the contract has something to do by itself, or None."""
    instants = [retry.at for retry in state.retries.values() if retry.at is not None]
    if is_billed(state.schedule, state.next_period, state.ending):
        instants.append(bills_at(state.schedule, state.next_period, state.sold_at))
    change = access_at(state.schedule, state.sold_at, state.ending, now).next_change
    if change is not None:
        instants.append(change.at)
    if state.ending is not None and now < state.ending.at:
        instants.append(state.ending.at)  # also where access never went on
    return min(instants, default=None)


def after_failure(state: ContractState, identity: str, now: datetime) -> ContractState:
    """The creation failed on the platform's side: try again after 1, 5, 15, 60 minutes, then every 6 hours.

    A bill of which better news came meanwhile, or that was given up, is not tried again.
    """
    bill = state.bills.get(identity)
    if bill is None or bill.status not in NOT_MADE:
        return state
    failures = state.retries.get(identity, Retry(at=None)).failures
    wait = RETRY_AFTER[failures] if failures < len(RETRY_AFTER) else RETRY_THEN
    retry = Retry(at=now + wait, failures=failures + 1)
    return state.model_copy(update={"retries": {**state.retries, identity: retry}})


def made(state: ContractState, identity: str, bill: BillRecord) -> ContractState:
    """The creation of `identity` has ended with `bill`: itself, or the later revision that its period has already."""
    bills = {known: other for known, other in state.bills.items() if known == bill.bill_id or known != identity}
    retries = {known: retry for known, retry in state.retries.items() if known != identity}
    return noted(state.model_copy(update={"bills": bills, "retries": retries}), bill)


def noted(state: ContractState, bill: BillRecord) -> ContractState:
    """The state with the news of one bill, from an activity or a signal, in any order and any number of times."""
    known = state.bills.get(bill.bill_id)
    seen = known.version if known else state.dropped.get(bill.bill_id, -1)
    if bill.version <= seen:
        return state
    bills = {identity: other for identity, other in state.bills.items() if identity != bill.bill_id}
    dropped = {identity: version for identity, version in state.dropped.items() if identity != bill.bill_id}
    if bill.status in LIVE or bill.status is BillStatus.EXPIRED:
        bills[bill.bill_id] = bill
    else:
        dropped[bill.bill_id] = bill.version
    retries = dict(state.retries)
    if bill.status is not BillStatus.CREATING:
        retries.pop(bill.bill_id, None)
    newest = dict(list(dropped.items())[-DROPPED_KEPT_MAX:])
    return state.model_copy(update={"bills": bills, "dropped": newest, "retries": retries})


def cancelled(state: ContractState, at: CancelAt, now: datetime) -> ContractState:
    """Raises Refused."""
    return state.model_copy(update={"ending": cancellation(state.schedule, state.ending, at, now)})


def revoked(state: ContractState, now: datetime) -> ContractState:
    """The contract without its cancellation; a contract without one stays as it is. Raises Refused if it is over."""
    if state.ending is not None and now >= state.ending.at:
        raise Refused(f"the contract ended on {state.ending.on}; sell a new one")
    return state.model_copy(update={"ending": state.schedule.fixed_end()})


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
    kept = _voided(state, identity)
    return kept.model_copy(
        update={"bills": {**kept.bills, renewed: fresh}, "retries": {**kept.retries, renewed: Retry(at=now)}}
    ), renewed


def waived(state: ContractState, identity: str) -> ContractState:
    """The state after a parked bill was given up; given up again, the same. Raises Refused."""
    if identity in state.given_up:
        return state
    bill = _stopped(state, identity)
    if bill.parked is None:
        raise Refused(
            f"the bill {identity} waits for the platform, which may hold it already; only a parked one can be given up"
        )
    given_up = (*state.given_up, identity)[-DROPPED_KEPT_MAX:]
    return _voided(state, identity).model_copy(update={"given_up": given_up})


def _voided(state: ContractState, identity: str) -> ContractState:
    bill = state.bills[identity]
    return noted(state, bill.model_copy(update={"version": bill.version + 1, "status": BillStatus.VOID}))


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


def _status(ending: Ending | None, now: datetime) -> ContractStatus:
    if ending is None:
        return ContractStatus.ACTIVE
    if now >= ending.at:
        return ContractStatus.ENDED
    return ContractStatus.CANCELLING if ending.reason is EndReason.CANCELLED else ContractStatus.ACTIVE
