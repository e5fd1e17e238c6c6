"""What a contract carries, and the rules by which it changes, one by one. Their interplay: test_contract_life.py."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from avtal.contracts.access.access import AccessReason
from avtal.contracts.bills.bill import LIVE, NEEDS_REVISION, BillSnapshot, BillStatus, Parked, ParkedReason, bill_id
from avtal.contracts.lifecycle.commands import cancel, retry_bill, waive_bill
from avtal.contracts.lifecycle.renewals import end_if_unpaid, snapshot, snapshot_at_sale
from avtal.contracts.lifecycle.state import DROPPED_KEPT_MAX, ContractState, ContractStatus, initial_state
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

SOLD = datetime(2027, 1, 30, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
C = "c-1"
FIRST = bill_id(C, 0, 0)
MADE = (BillStatus.DRAFT, BillStatus.OPEN, BillStatus.PAID, BillStatus.CREDITED, BillStatus.EXPIRED)
KEPT = LIVE | {BillStatus.EXPIRED}


def make_schedule(anchor: date = date(2027, 1, 31), unit: IntervalUnit = IntervalUnit.MONTH, **more: Any) -> Schedule:
    return Schedule(anchor=anchor, interval=Interval(unit=unit), **more)


def make_state(schedule: Schedule | None = None) -> ContractState:
    schedule = schedule or make_schedule()
    return initial_state(schedule, SOLD, snapshot_at_sale(schedule, SOLD))


def make_record(**fields: Any) -> BillSnapshot:
    usual: dict[str, Any] = {"bill_id": FIRST, "period": 0, "version": 1, "status": BillStatus.OPEN}
    return BillSnapshot(**(usual | fields))


def heard(state: ContractState, bill: BillSnapshot) -> ContractState:
    return bill_changed(state, bill, SOLD)


def parked(reason: ParkedReason = ParkedReason.REFUSED, **fields: Any) -> BillSnapshot:
    return make_record(status=BillStatus.PARKED, parked=Parked(reason=reason), **fields)


def ordered(state: ContractState, now: datetime) -> ContractState:
    for period, revision in list(bills_due(state, now)):
        state = bill_requested(state, C, period, revision)
    return state


def open_ids(state: ContractState) -> set[str]:
    return set(state.bills)


STARTED = ordered(make_state(), SOLD)


# A vain creation is repeated.


def test_a_vain_creation_is_tried_again_after_1_5_15_60_minutes_then_every_6_hours() -> None:
    state, now, waits = STARTED, SOLD + timedelta(days=1), []
    for _ in range(7):
        state = bill_failed(state, FIRST, now)
        due = next_due(state, now)
        assert due is not None
        waits.append((due - now) / timedelta(minutes=1))
        assert list(bills_due(state, due - MOMENT)) == []
        state, now = ordered(state, due), due

    assert waits == [1, 5, 15, 60, 360, 360, 360]


def test_a_retry_by_a_person_comes_at_once_and_begins_the_waits_anew() -> None:
    failed = bill_failed(ordered(bill_failed(STARTED, FIRST, SOLD), SOLD + timedelta(minutes=1)), FIRST, SOLD)
    state, identity = retry_bill(failed, C, FIRST, SOLD)

    assert (identity, next_due(state, SOLD)) == (FIRST, SOLD)
    assert bill_failed(ordered(state, SOLD), FIRST, SOLD).retries[FIRST].at == SOLD + timedelta(minutes=1)


def test_a_bill_that_is_being_made_is_not_made_a_second_time_beside_it() -> None:
    assert retry_bill(STARTED, C, FIRST, SOLD) == (STARTED, FIRST)


def test_a_failure_that_comes_after_better_news_changes_nothing() -> None:
    for status in MADE:
        state = heard(STARTED, make_record(status=status))

        assert bill_failed(state, FIRST, SOLD) == state


def test_news_of_a_bill_in_the_making_leaves_its_retry() -> None:
    failed = bill_failed(STARTED, FIRST, SOLD)

    assert heard(failed, make_record(status=BillStatus.CREATING)).retries == failed.retries


# News of a bill.


@pytest.mark.parametrize("status", sorted(set(BillStatus) - KEPT))
def test_a_bill_that_is_over_leaves_the_state_and_is_taken_back_if_it_reopens(status: BillStatus) -> None:
    over = heard(STARTED, make_record(status=status))
    again = heard(over, make_record(version=2))

    assert (open_ids(over), over.dropped, over.retries) == (set(), {FIRST: 1}, {})
    assert (open_ids(again), again.dropped) == ({FIRST}, {})


@pytest.mark.parametrize("version", [0, 1, 2])
def test_old_news_is_ignored_also_of_a_bill_that_was_dropped(version: int) -> None:
    state = heard(STARTED, make_record(status=BillStatus.PAID, version=2))

    assert heard(state, make_record(version=version)) == state


def test_of_bills_that_are_gone_the_last_24_are_remembered() -> None:
    state = STARTED
    for number in range(30):
        identity = bill_id(C, number, 0)
        state = waive_bill(heard(state, parked(bill_id=identity, period=number)), identity, SOLD)
    last = [bill_id(C, number, 0) for number in range(30 - DROPPED_KEPT_MAX, 30)]

    assert list(state.dropped) == list(state.waived) == last


# A person decides about a stopped bill.


@pytest.mark.parametrize("reason", ParkedReason)
def test_a_parked_bill_is_made_again_under_its_key_or_as_its_next_revision(reason: ParkedReason) -> None:
    state, identity = retry_bill(heard(STARTED, parked(reason)), C, FIRST, SOLD)

    assert identity == bill_id(C, 0, 1 if reason in NEEDS_REVISION else 0)
    assert [(period.number, revision) for period, revision in bills_due(state, SOLD)] == [
        (0, 1 if reason in NEEDS_REVISION else 0)
    ]
    assert open_ids(state) == {identity}
    assert state.bills[identity].status is BillStatus.CREATING


def test_a_parked_bill_can_be_given_up_and_again_with_the_same_effect() -> None:
    once = waive_bill(heard(STARTED, parked()), FIRST, SOLD)

    assert waive_bill(once, FIRST, SOLD) == once
    assert (open_ids(once), once.has_live_bills) == (set(), False)
    assert list(bills_due(once, SOLD)) == []


@pytest.mark.parametrize(
    "state",
    [
        STARTED,
        bill_failed(STARTED, FIRST, SOLD),
        retry_bill(heard(STARTED, parked()), C, FIRST, SOLD)[0],
        ordered(retry_bill(heard(STARTED, parked()), C, FIRST, SOLD)[0], SOLD),
        *(heard(STARTED, make_record(status=status)) for status in MADE),
    ],
)
def test_nothing_but_a_parked_bill_can_be_given_up(state: ContractState) -> None:
    """What waits for the platform may stand there already; what is paid stays paid."""
    with pytest.raises(CommandRefused):
        waive_bill(state, FIRST, SOLD)


@pytest.mark.parametrize("status", MADE)
def test_a_bill_that_is_made_can_not_be_retried(status: BillStatus) -> None:
    with pytest.raises(CommandRefused):
        retry_bill(heard(STARTED, make_record(status=status)), C, FIRST, SOLD)


# ContractSnapshot.


def test_the_counter_rises_with_each_change_and_with_nothing_else() -> None:
    state = cancel(STARTED, "now", SOLD)
    news = snapshot(state, SOLD)

    assert snapshot(STARTED, SOLD) == STARTED.written
    assert (news.counter, news.status, news.reason) == (1, ContractStatus.ENDED, AccessReason.CANCELLED)
    assert snapshot(snapshot_written(state, news), SOLD + timedelta(days=99)) == news


def test_a_contract_cancelled_before_its_start_has_still_its_end_to_tell() -> None:
    state = cancel(ordered(make_state(make_schedule(date(2027, 3, 1))), SOLD), date(2027, 2, 10), SOLD)
    ends = local_midnight(date(2027, 2, 10), "Europe/Stockholm")

    assert next_due(state, SOLD) == ends
    assert (snapshot(state, ends).status, next_due(state, ends)) == (ContractStatus.ENDED, None)


def test_a_contract_whose_process_was_lost_orders_every_bill_again() -> None:
    now = SOLD + timedelta(days=70)
    again = initial_state(STARTED.schedule, SOLD, snapshot(STARTED, now))

    assert [period.number for period, _ in bills_due(again, now)] == [0, 1, 2]


def test_a_contract_ends_unpaid_at_the_first_boundary_at_which_access_is_off() -> None:
    """Renewals that were held before, while access was on, lie in the past and end nothing."""
    schedule = make_schedule(unit=IntervalUnit.WEEK)
    policy: dict[str, Any] = {
        "policy_version": 1,
        "grace_days": 5,
        "renewal_while_off": RenewalWhileOff.END,
        "max_open_bills": 1,
    }
    off = local_midnight(date(2027, 2, 26), schedule.zone)
    state = heard(ordered(make_state(schedule), SOLD), make_record(due_date=date(2027, 2, 20), **policy))
    dark = state.model_copy(update={"verified": {FIRST: off}})
    boundary = schedule.renewal_instant(4)
    ending = end_if_unpaid(dark, boundary).ending

    assert snapshot(state, off - MOMENT).status is ContractStatus.SUSPENDED
    assert end_if_unpaid(dark, off) == dark
    assert next_due(dark, off) == boundary
    assert ending is not None
    assert (ending.at, ending.on) == (boundary, schedule.period(4).start)
