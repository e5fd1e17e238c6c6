"""Any order of events that the rules of a contract allow: no period is skipped, none is billed twice.

The machine is a workflow without Temporal. It requests the bills that are due, and they are created, fail, or are
parked, while commands and late signals interfere.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from avtal.contracts.bills.bill import LIVE, BillSnapshot, BillStatus, Parked, ParkedReason, bill_id, bill_parts
from avtal.contracts.lifecycle.commands import cancel, retry_bill, revoke_cancellation, waive_bill
from avtal.contracts.lifecycle.contract_snapshot import snapshot, snapshot_at_sale
from avtal.contracts.lifecycle.state import REMEMBERED_BILLS_MAX, ContractState, initial_state
from avtal.contracts.lifecycle.transitions import (
    bill_changed,
    bill_failed,
    bill_requested,
    bills_due,
    next_due,
    snapshot_written,
)
from avtal.contracts.periods import Interval, IntervalUnit, local_midnight
from avtal.contracts.schedule import CommandRefused, Schedule
from tests.contracts.lifecycle.strategies import picked, picks

SOLD_AT = datetime(2027, 1, 30, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
CONTRACT_ID = "c-1"
CREATED = (BillStatus.DRAFT, BillStatus.OPEN, BillStatus.PAID, BillStatus.CREDITED, BillStatus.EXPIRED)
CARRIED = LIVE | {BillStatus.EXPIRED}
MUST_OCCUR = {
    "bill requested", "revision requested", "bill created", "bill parked", "creation failed", "bill changed",
    "change without signal", "old signal", "bill dropped", "bill reopened", "cancel", "revoke_cancellation",
    "retry_bill", "waive_bill", "command refused",
}  # fmt: skip

intervals = st.sampled_from([IntervalUnit.DAY, IntervalUnit.WEEK, IntervalUnit.MONTH])
starts = st.dates(date(2027, 1, 10), date(2027, 4, 10))


class Lifecycle(RuleBasedStateMachine):
    occurred: Counter[str] = Counter()
    """How often each event had an effect, over all examples."""

    @initialize(unit=intervals, anchor=starts, fixed=st.none() | st.integers(1, 6))
    def sell(self, unit: IntervalUnit, anchor: date, fixed: int | None) -> None:
        self.now = SOLD_AT
        self.schedule = Schedule(anchor=anchor, interval=Interval(unit=unit), fixed_periods=fixed)
        self.state = initial_state(self.schedule, SOLD_AT, snapshot_at_sale(self.schedule, SOLD_AT))
        self.periods: list[int] = []
        self.in_flight: set[str] = set()
        self.stored: dict[str, BillSnapshot] = {}
        self.snapshots: list[BillSnapshot] = []
        self.work()

    @rule(hours=st.integers(1, 24 * 12))
    def time_passes(self, hours: int) -> None:
        before, due = self.row_at(self.now), next_due(self.state, self.now)
        self.now += timedelta(hours=hours)
        assert self.row_at(min(self.now, due - MOMENT) if due else self.now) == before
        self.work()

    @precondition(lambda self: next_due(self.state, self.now) is not None)
    @rule()
    def next_due_instant_arrives(self) -> None:
        self.now = next_due(self.state, self.now) or self.now
        self.work()

    @precondition(lambda self: self.in_flight)
    @rule(
        pick=picks, status=st.sampled_from([*CREATED, *[BillStatus.PARKED] * 3]), reason=st.sampled_from(ParkedReason)
    )
    def bill_is_created_or_parked(self, pick: int, status: BillStatus, reason: ParkedReason) -> None:
        parked = Parked(reason=reason) if status is BillStatus.PARKED else None
        self.occurred["bill parked" if parked else "bill created"] += 1
        self.signal(self.store(self.take_in_flight(pick), status, parked))

    @precondition(lambda self: self.in_flight)
    @rule(pick=picks)
    def creation_fails(self, pick: int) -> None:
        self.occurred["creation failed"] += 1
        self.state = bill_failed(self.state, self.take_in_flight(pick), self.now)

    @precondition(lambda self: self.changeable())
    @rule(pick=picks, status=st.sampled_from(CREATED[1:]), is_signalled=st.booleans())
    def created_bill_changes(self, pick: int, status: BillStatus, is_signalled: bool) -> None:
        changed = self.store(picked(self.changeable(), pick), status, None)
        self.snapshots.append(changed)
        self.occurred["bill changed" if is_signalled else "change without signal"] += 1
        if is_signalled:
            self.signal(changed)

    @precondition(lambda self: self.snapshots)
    @rule(pick=picks)
    def old_signal_arrives(self, pick: int) -> None:
        self.occurred["old signal"] += 1
        self.signal(picked(self.snapshots, pick))

    @rule(at=st.sampled_from(["now", "period_end"]) | st.integers(-2, 60))
    def contract_is_cancelled(self, at: Any) -> None:
        day = self.now.date() + timedelta(days=at) if isinstance(at, int) else at
        self.command("cancel", lambda: cancel(self.state, CONTRACT_ID, day, self.now))

    @rule()
    def cancellation_is_revoked(self) -> None:
        self.command("revoke_cancellation", lambda: revoke_cancellation(self.state, CONTRACT_ID, self.now))

    @precondition(lambda self: self.state.bills)
    @rule(pick=picks)
    def bill_is_retried(self, pick: int) -> None:
        identity = picked(sorted(self.state.bills), pick)
        self.command("retry_bill", lambda: retry_bill(self.state, CONTRACT_ID, identity, self.now)[0])

    @precondition(lambda self: self.state.bills)
    @rule(pick=picks)
    def bill_is_waived(self, pick: int) -> None:
        identity = picked(sorted(self.state.bills), pick)
        self.command("waive_bill", lambda: waive_bill(self.state, identity, self.now))
        assert not (identity in self.in_flight and identity in self.state.waived)

    @invariant()
    def no_period_is_skipped_or_billed_twice(self) -> None:
        assert self.periods == list(range(len(self.periods)))
        following = self.schedule.period(len(self.periods)).start
        assert following >= self.end_date() or local_midnight(following, self.schedule.zone) > self.now

    @invariant()
    def nothing_due_lies_in_the_past(self) -> None:
        due = next_due(self.state, self.now)
        assert due is None or due > self.now

    @invariant()
    def a_bill_in_flight_or_waiting_for_retry_is_carried(self) -> None:
        assert set(self.state.retries) <= set(self.state.bills)
        assert {identity for identity, retry in self.state.retries.items() if retry.at is None} <= self.in_flight

    @invariant()
    def only_bills_that_can_still_change_something_are_carried(self) -> None:
        assert {bill.status for bill in self.state.bills.values()} <= CARRIED
        assert not set(self.state.bills) & set(self.state.dropped)
        assert len(self.state.dropped) <= REMEMBERED_BILLS_MAX
        assert len(self.state.waived) <= REMEMBERED_BILLS_MAX

    @invariant()
    def the_state_survives_serialisation(self) -> None:
        assert ContractState.model_validate_json(self.state.model_dump_json()) == self.state

    def work(self) -> None:
        """What the workflow does whenever it wakes."""
        for period, revision in list(bills_due(self.state, self.now)):
            identity = bill_id(CONTRACT_ID, period.number, revision)
            assert identity not in self.in_flight
            if identity not in self.state.bills:
                assert period.start < self.end_date()
                assert period.number == 0 or local_midnight(period.start, self.schedule.zone) <= self.now
                self.periods.append(period.number)
            self.occurred["revision requested" if revision else "bill requested"] += 1
            self.state = bill_requested(self.state, CONTRACT_ID, period, revision)
            self.in_flight.add(identity)
        self.state = snapshot_written(self.state, snapshot(self.state, self.now))

    def command(self, name: str, command: Callable[[], ContractState]) -> None:
        before = self.state
        try:
            self.state = command()
        except CommandRefused:
            self.occurred["command refused"] += 1
            return
        self.occurred[name] += self.state != before
        for identity, version in self.state.dropped.items():
            if identity in self.stored and self.stored[identity].version < version:
                self.store(identity, BillStatus.VOID, None)
        self.work()

    def signal(self, bill: BillSnapshot) -> None:
        was_carried, was_dropped = bill.bill_id in self.state.bills, bill.bill_id in self.state.dropped
        self.state = bill_changed(self.state, bill, self.now)
        self.snapshots.append(bill)
        self.occurred["bill dropped"] += was_carried and bill.bill_id in self.state.dropped
        self.occurred["bill reopened"] += was_dropped and bill.bill_id in self.state.bills
        if self.stored[bill.bill_id] == bill:
            assert (bill.bill_id in self.state.bills) == (bill.status in CARRIED)

    def store(self, identity: str, status: BillStatus, parked: Parked | None) -> BillSnapshot:
        """The bill's next version."""
        _, period, revision = bill_parts(identity) or ("", 0, 0)
        version = self.stored[identity].version + 1 if identity in self.stored else 1
        self.stored[identity] = BillSnapshot(
            bill_id=identity, period=period, revision=revision, version=version, status=status, parked=parked
        )
        return self.stored[identity]

    def take_in_flight(self, pick: int) -> str:
        identity = picked(sorted(self.in_flight), pick)
        self.in_flight.remove(identity)
        return identity

    def changeable(self) -> list[str]:
        """Bills that have an invoice and of which the state still knows the version."""
        known = {*self.state.bills, *self.state.dropped}
        return sorted(one for one, bill in self.stored.items() if bill.status in CREATED and one in known)

    def end_date(self) -> date:
        return self.state.ending.on if self.state.ending else date.max

    def row_at(self, now: datetime) -> tuple[object, ...]:
        row = snapshot(self.state, now)
        return row.status, row.access, row.reason, row.since


def test_no_order_of_events_skips_a_period_or_bills_it_twice() -> None:
    Lifecycle.occurred.clear()
    run_state_machine_as_test(
        Lifecycle, settings=settings(max_examples=300, stateful_step_count=40, deadline=None, derandomize=True)
    )

    assert MUST_OCCUR - set(+Lifecycle.occurred) == set()
