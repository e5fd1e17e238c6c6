"""The rules by which a contract's state changes, one by one. test_lifecycle.py combines them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from avtal.contracts.access.access import AccessReason
from avtal.contracts.bills.bill import LIVE, NEEDS_REVISION, BillSnapshot, BillStatus, Parked, ParkedReason, bill_id
from avtal.contracts.lifecycle.commands import cancel, retry_bill, waive_bill
from avtal.contracts.lifecycle.contract_snapshot import snapshot, snapshot_at_sale
from avtal.contracts.lifecycle.renewals import end_if_unpaid
from avtal.contracts.lifecycle.state import REMEMBERED_BILLS_MAX, ContractState, ContractStatus, initial_state
from avtal.contracts.lifecycle.transitions import (
    bill_changed,
    bill_failed,
    bill_requested,
    bills_due,
    next_due,
    snapshot_written,
)
from avtal.contracts.periods import Interval, IntervalUnit, local_midnight
from avtal.contracts.policy import RenewalWhileOff
from avtal.contracts.schedule import CommandRefused, Schedule

SOLD_AT = datetime(2027, 1, 30, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
CONTRACT_ID = "c-1"
FIRST = bill_id(CONTRACT_ID, 0, 0)
CREATED = (BillStatus.DRAFT, BillStatus.OPEN, BillStatus.PAID, BillStatus.CREDITED, BillStatus.EXPIRED)
CARRIED = LIVE | {BillStatus.EXPIRED}


def make_schedule(anchor: date = date(2027, 1, 31), unit: IntervalUnit = IntervalUnit.MONTH, **more: Any) -> Schedule:
    return Schedule(anchor=anchor, interval=Interval(unit=unit), **more)


def make_state(schedule: Schedule | None = None) -> ContractState:
    schedule = schedule or make_schedule()
    return initial_state(schedule, SOLD_AT, snapshot_at_sale(schedule, SOLD_AT))


def make_snapshot(**fields: Any) -> BillSnapshot:
    usual: dict[str, Any] = {"bill_id": FIRST, "period": 0, "version": 1, "status": BillStatus.OPEN}
    return BillSnapshot(**(usual | fields))


def apply(state: ContractState, bill: BillSnapshot) -> ContractState:
    return bill_changed(state, bill, SOLD_AT)


def parked_snapshot(reason: ParkedReason = ParkedReason.REFUSED, **fields: Any) -> BillSnapshot:
    return make_snapshot(status=BillStatus.PARKED, parked=Parked(reason=reason), **fields)


def request_due_bills(state: ContractState, now: datetime) -> ContractState:
    for period, revision in list(bills_due(state, now)):
        state = bill_requested(state, CONTRACT_ID, period, revision)
    return state


def open_ids(state: ContractState) -> set[str]:
    return set(state.bills)


STARTED = request_due_bills(make_state(), SOLD_AT)


# A failed creation.


def test_a_failed_creation_is_retried_with_growing_delays() -> None:
    state, now, delays = STARTED, SOLD_AT + timedelta(days=1), []
    for _ in range(7):
        state = bill_failed(state, FIRST, now)
        due = next_due(state, now)
        assert due is not None
        delays.append((due - now) / timedelta(minutes=1))
        assert list(bills_due(state, due - MOMENT)) == []
        state, now = request_due_bills(state, due), due

    assert delays == [1, 5, 15, 60, 360, 360, 360]


def test_a_manual_retry_is_immediate_and_resets_the_delays() -> None:
    minute = timedelta(minutes=1)
    failed_once = bill_failed(STARTED, FIRST, SOLD_AT)
    failed_twice = bill_failed(request_due_bills(failed_once, SOLD_AT + minute), FIRST, SOLD_AT)
    state, identity = retry_bill(failed_twice, CONTRACT_ID, FIRST, SOLD_AT)
    failed_again = bill_failed(request_due_bills(state, SOLD_AT), FIRST, SOLD_AT)

    assert (identity, next_due(state, SOLD_AT)) == (FIRST, SOLD_AT)
    assert failed_again.retries[FIRST].at == SOLD_AT + minute


def test_a_bill_in_creation_is_not_created_twice() -> None:
    assert retry_bill(STARTED, CONTRACT_ID, FIRST, SOLD_AT) == (STARTED, FIRST)


def test_a_failure_after_a_created_bill_changes_nothing() -> None:
    for status in CREATED:
        state = apply(STARTED, make_snapshot(status=status))

        assert bill_failed(state, FIRST, SOLD_AT) == state


def test_a_bill_still_in_creation_keeps_its_retry() -> None:
    failed = bill_failed(STARTED, FIRST, SOLD_AT)

    assert apply(failed, make_snapshot(status=BillStatus.CREATING)).retries == failed.retries


# A bill's change.


@pytest.mark.parametrize("status", sorted(set(BillStatus) - CARRIED))
def test_a_closed_bill_leaves_the_state_until_it_reopens(status: BillStatus) -> None:
    closed = apply(STARTED, make_snapshot(status=status))
    again = apply(closed, make_snapshot(version=2))

    assert (open_ids(closed), closed.dropped, closed.retries) == (set(), {FIRST: 1}, {})
    assert (open_ids(again), again.dropped) == ({FIRST}, {})


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_old_version_of_a_bill_is_ignored(version: int) -> None:
    state = apply(STARTED, make_snapshot(status=BillStatus.PAID, version=2))

    assert apply(state, make_snapshot(version=version)) == state


def test_the_versions_of_the_last_24_dropped_bills_are_remembered() -> None:
    state = STARTED
    for number in range(30):
        identity = bill_id(CONTRACT_ID, number, 0)
        state = waive_bill(apply(state, parked_snapshot(bill_id=identity, period=number)), identity, SOLD_AT)
    last = [bill_id(CONTRACT_ID, number, 0) for number in range(30 - REMEMBERED_BILLS_MAX, 30)]

    assert list(state.dropped) == list(state.waived) == last


# Commands for a parked bill.


@pytest.mark.parametrize("reason", ParkedReason)
def test_a_parked_bill_is_retried_as_itself_or_its_next_revision(reason: ParkedReason) -> None:
    state, identity = retry_bill(apply(STARTED, parked_snapshot(reason)), CONTRACT_ID, FIRST, SOLD_AT)

    assert identity == bill_id(CONTRACT_ID, 0, 1 if reason in NEEDS_REVISION else 0)
    assert [(period.number, revision) for period, revision in bills_due(state, SOLD_AT)] == [
        (0, 1 if reason in NEEDS_REVISION else 0)
    ]
    assert open_ids(state) == {identity}
    assert state.bills[identity].status is BillStatus.CREATING


def test_waiving_a_parked_bill_is_idempotent() -> None:
    once = waive_bill(apply(STARTED, parked_snapshot()), FIRST, SOLD_AT)

    assert waive_bill(once, FIRST, SOLD_AT) == once
    assert (open_ids(once), once.has_live_bills) == (set(), False)
    assert list(bills_due(once, SOLD_AT)) == []


@pytest.mark.parametrize(
    "state",
    [
        STARTED,
        bill_failed(STARTED, FIRST, SOLD_AT),
        retry_bill(apply(STARTED, parked_snapshot()), CONTRACT_ID, FIRST, SOLD_AT)[0],
        request_due_bills(retry_bill(apply(STARTED, parked_snapshot()), CONTRACT_ID, FIRST, SOLD_AT)[0], SOLD_AT),
        *(apply(STARTED, make_snapshot(status=status)) for status in CREATED),
    ],
)
def test_only_a_parked_bill_can_be_waived(state: ContractState) -> None:
    """A bill in creation may already exist at Billogram; a paid bill stays paid."""
    with pytest.raises(CommandRefused):
        waive_bill(state, FIRST, SOLD_AT)


@pytest.mark.parametrize("status", CREATED)
def test_a_created_bill_cannot_be_retried(status: BillStatus) -> None:
    with pytest.raises(CommandRefused):
        retry_bill(apply(STARTED, make_snapshot(status=status)), CONTRACT_ID, FIRST, SOLD_AT)


# The contract's row.


def test_the_contract_counter_rises_only_with_a_change() -> None:
    state = cancel(STARTED, CONTRACT_ID, "now", SOLD_AT)
    changed = snapshot(state, SOLD_AT)

    assert snapshot(STARTED, SOLD_AT) == STARTED.written
    assert (changed.counter, changed.status, changed.reason) == (1, ContractStatus.ENDED, AccessReason.CANCELLED)
    assert snapshot(snapshot_written(state, changed), SOLD_AT + timedelta(days=99)) == changed


def test_a_contract_cancelled_before_its_start_still_ends() -> None:
    state = cancel(
        request_due_bills(make_state(make_schedule(date(2027, 3, 1))), SOLD_AT), CONTRACT_ID, date(2027, 2, 10), SOLD_AT
    )
    ends = local_midnight(date(2027, 2, 10), "Europe/Stockholm")

    assert next_due(state, SOLD_AT) == ends
    assert (snapshot(state, ends).status, next_due(state, ends)) == (ContractStatus.ENDED, None)


def test_a_restarted_workflow_requests_every_bill_again() -> None:
    now = SOLD_AT + timedelta(days=70)
    again = initial_state(STARTED.schedule, SOLD_AT, snapshot(STARTED, now))

    assert [period.number for period, _ in bills_due(again, now)] == [0, 1, 2]


def test_a_contract_ends_unpaid_at_the_first_renewal_without_access() -> None:
    """Renewals held earlier, while access was on, do not end the contract."""
    schedule = make_schedule(unit=IntervalUnit.WEEK)
    policy: dict[str, Any] = {
        "policy_version": 1,
        "grace_days": 5,
        "renewal_while_off": RenewalWhileOff.END,
        "max_open_bills": 1,
    }
    off = local_midnight(date(2027, 2, 26), schedule.zone)
    state = apply(request_due_bills(make_state(schedule), SOLD_AT), make_snapshot(due_date=date(2027, 2, 20), **policy))
    without_access = state.model_copy(update={"confirmed_cutoffs": {FIRST: off}})
    boundary = schedule.renewal_instant(4)
    ending = end_if_unpaid(without_access, boundary).ending

    assert snapshot(state, off - MOMENT).status is ContractStatus.SUSPENDED
    assert end_if_unpaid(without_access, off) == without_access
    assert next_due(without_access, off) == boundary
    assert ending is not None
    assert (ending.at, ending.on) == (boundary, schedule.period(4).start)
