"""Any life of a contract that its rules allow: no period is skipped, none is billed twice, nothing is forgotten.

The machine is a workflow without Temporal: it orders what is due, and what it ordered succeeds, fails, or parks, while
people and late news interfere. Beside it stand the periods and the bills as they must be.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avtal.contracts.bills.bill import LIVE, BillSnapshot, BillStatus, Parked, ParkedReason, bill_id, bill_parts
from avtal.contracts.lifecycle.commands import cancel, retry_bill, revoke_cancellation, waive_bill
from avtal.contracts.lifecycle.renewals import snapshot, snapshot_at_sale
from avtal.contracts.lifecycle.state import DROPPED_KEPT_MAX, ContractState, initial_state
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

SOLD = datetime(2027, 1, 30, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
C = "c-1"
MADE = (BillStatus.DRAFT, BillStatus.OPEN, BillStatus.PAID, BillStatus.CREDITED, BillStatus.EXPIRED)
T = TypeVar("T")
KEPT = LIVE | {BillStatus.EXPIRED}

intervals = st.sampled_from([IntervalUnit.DAY, IntervalUnit.WEEK, IntervalUnit.MONTH])
starts = st.dates(date(2027, 1, 10), date(2027, 4, 10))
pick = st.integers(0, 1000)


class Life(RuleBasedStateMachine):
    @initialize(unit=intervals, anchor=starts, fixed=st.none() | st.integers(1, 6))
    def sell(self, unit: IntervalUnit, anchor: date, fixed: int | None) -> None:
        self.now = SOLD
        self.schedule = Schedule(anchor=anchor, interval=Interval(unit=unit), fixed_periods=fixed)
        row = snapshot_at_sale(self.schedule, SOLD)
        self.state = initial_state(self.schedule, SOLD, row)
        self.periods: list[int] = []
        self.under_way: set[str] = set()
        self.stored: dict[str, BillSnapshot] = {}
        self.said: list[BillSnapshot] = []
        self.work()

    @rule(hours=st.integers(1, 24 * 12))
    def time_passes(self, hours: int) -> None:
        before, due = self.standing_at(self.now), next_due(self.state, self.now)
        self.now += timedelta(hours=hours)
        assert self.standing_at(min(self.now, due - MOMENT) if due else self.now) == before
        self.work()

    @precondition(lambda self: next_due(self.state, self.now) is not None)
    @rule()
    def the_next_instant_comes(self) -> None:
        self.now = next_due(self.state, self.now) or self.now
        self.work()

    @precondition(lambda self: self.under_way)
    @rule(number=pick, status=st.sampled_from([*MADE, BillStatus.PARKED]), reason=st.sampled_from(ParkedReason))
    def a_bill_is_made_or_parked(self, number: int, status: BillStatus, reason: ParkedReason) -> None:
        identity = self.landed(number)
        stopped = Parked(reason=reason) if status is BillStatus.PARKED else None
        self.say(self.changed(identity, status, stopped))

    @precondition(lambda self: self.under_way)
    @rule(number=pick)
    def a_creation_fails(self, number: int) -> None:
        self.state = bill_failed(self.state, self.landed(number), self.now)

    @precondition(lambda self: self.facts_may_come())
    @rule(number=pick, status=st.sampled_from(MADE[1:]), is_told=st.booleans())
    def a_made_bill_changes(self, number: int, status: BillStatus, is_told: bool) -> None:
        news = self.changed(chosen(self.facts_may_come(), number), status, None)
        self.said.append(news)
        if is_told:
            self.say(news)

    @precondition(lambda self: self.said)
    @rule(number=pick)
    def old_news_comes_again(self, number: int) -> None:
        self.say(chosen(self.said, number))

    @rule(at=st.sampled_from(["now", "period_end"]) | st.integers(-2, 60))
    def somebody_cancels(self, at: Any) -> None:
        day = self.now.date() + timedelta(days=at) if isinstance(at, int) else at
        self.ask(lambda: cancel(self.state, day, self.now))

    @rule()
    def somebody_revokes(self) -> None:
        self.ask(lambda: revoke_cancellation(self.state, C, self.now))

    @precondition(lambda self: self.state.bills)
    @rule(number=pick)
    def somebody_retries(self, number: int) -> None:
        identity = chosen(sorted(self.state.bills), number)
        self.ask(lambda: retry_bill(self.state, C, identity, self.now)[0])

    @precondition(lambda self: self.state.bills)
    @rule(number=pick)
    def somebody_waives(self, number: int) -> None:
        identity = chosen(sorted(self.state.bills), number)
        self.ask(lambda: waive_bill(self.state, identity, self.now))
        assert not (identity in self.under_way and identity in self.state.waived)

    @invariant()
    def no_period_is_skipped_or_billed_twice(self) -> None:
        assert self.periods == list(range(len(self.periods)))
        following = self.schedule.period(len(self.periods)).start
        assert following >= self.end_day() or local_midnight(following, self.schedule.zone) > self.now

    @invariant()
    def nothing_due_lies_in_the_past(self) -> None:
        due = next_due(self.state, self.now)
        assert due is None or due > self.now

    @invariant()
    def what_is_under_way_or_waits_is_an_open_bill(self) -> None:
        assert set(self.state.retries) <= set(self.state.bills)
        assert {identity for identity, retry in self.state.retries.items() if retry.at is None} <= self.under_way

    @invariant()
    def only_bills_that_can_still_change_something_are_carried(self) -> None:
        assert all(bill.status in KEPT for bill in self.state.bills.values())
        assert not set(self.state.bills) & set(self.state.dropped)
        assert len(self.state.dropped) <= DROPPED_KEPT_MAX
        assert len(self.state.waived) <= DROPPED_KEPT_MAX

    @invariant()
    def the_state_survives_the_wire(self) -> None:
        assert ContractState.model_validate_json(self.state.model_dump_json()) == self.state

    def work(self) -> None:
        """What the workflow does whenever it wakes."""
        for period, revision in list(bills_due(self.state, self.now)):
            identity = bill_id(C, period.number, revision)
            assert identity not in self.under_way
            if identity not in self.state.bills:
                assert period.start < self.end_day()
                assert period.number == 0 or local_midnight(period.start, self.schedule.zone) <= self.now
                self.periods.append(period.number)
            self.state = bill_requested(self.state, C, period, revision)
            self.under_way.add(identity)
        self.state = snapshot_written(self.state, snapshot(self.state, self.now))

    def ask(self, command: Callable[[], ContractState]) -> None:
        try:
            self.state = command()
        except CommandRefused:
            return
        for identity, version in self.state.dropped.items():
            if identity in self.stored and self.stored[identity].version < version:
                self.changed(identity, BillStatus.VOID, None)
        self.work()

    def say(self, news: BillSnapshot) -> None:
        self.state = bill_changed(self.state, news, self.now)
        self.said.append(news)
        if self.stored[news.bill_id] == news:
            assert (news.bill_id in self.state.bills) == (news.status in KEPT)

    def changed(self, identity: str, status: BillStatus, stopped: Parked | None) -> BillSnapshot:
        _, period, revision = bill_parts(identity) or ("", 0, 0)
        version = self.stored[identity].version + 1 if identity in self.stored else 1
        new = BillSnapshot(
            bill_id=identity, period=period, revision=revision, version=version, status=status, parked=stopped
        )
        self.stored[identity] = new
        return new

    def landed(self, number: int) -> str:
        identity = chosen(sorted(self.under_way), number)
        self.under_way.remove(identity)
        return identity

    def facts_may_come(self) -> list[str]:
        """Bills whose invoice stands at the platform, and of which the contract has not forgotten the version."""
        known = {*self.state.bills, *self.state.dropped}
        return sorted(one for one, bill in self.stored.items() if bill.status in MADE and one in known)

    def end_day(self) -> date:
        return self.state.ending.on if self.state.ending else date.max

    def standing_at(self, now: datetime) -> tuple[object, ...]:
        found = snapshot(self.state, now)
        return found.status, found.access, found.reason, found.since


def chosen(of: list[T], number: int) -> T:
    return of[number % len(of)]


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
TestLife = Life.TestCase
