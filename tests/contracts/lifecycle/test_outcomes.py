"""Random contracts with every outcome: status, access, and renewals equal a plain recomputation after every step.

Callbacks arrive in any order, repeated, late, or never; then the bill's facts reach the store by a read. The oracle
knows neither states nor versions: it looks at the stored facts, the policy, and the time.
"""

from collections import Counter
from datetime import date, timedelta
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

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType, add_up
from avtal.contracts.lifecycle.commands import cancel, revoke_cancellation
from avtal.contracts.lifecycle.contract_snapshot import snapshot
from avtal.contracts.lifecycle.state import ContractState, ContractStatus, PlatformTask, access_of
from avtal.contracts.lifecycle.transitions import next_due
from avtal.contracts.periods import Interval, IntervalUnit, civil_day, local_midnight
from avtal.contracts.policy import Policy
from avtal.contracts.schedule import CommandRefused, EndReason, Schedule
from tests import oracle
from tests.contracts.lifecycle.simulated_contract import (
    CONTRACT_ID,
    TOTAL_MINOR,
    SimulatedBill,
    SimulatedContract,
)
from tests.contracts.lifecycle.strategies import picked, picks, policies
from tests.oracle import ZONE

CREATED_STATUSES = {BillStatus.OPEN, BillStatus.PAID, BillStatus.CREDITED, BillStatus.EXPIRED, BillStatus.VOID}
RULES = {
    "payment", "payment of all bills", "reversal", "credit", "loss", "respite", "shuffled callbacks", "reconciliation",
    "repeated signal", "outage", "cancellation", "revocation", "policy change", "policy change for open bills",
}  # fmt: skip
FINDINGS = {"period without access", "failed platform task"}
STATES = {repr(state) for state in (*CREATED_STATUSES, *ContractStatus, *AccessReason, *EndReason)}


class Outcomes(RuleBasedStateMachine):
    occurred: Counter[str] = Counter()
    """How often each rule had an effect and each state was checked, over all examples."""

    @initialize(
        unit=st.sampled_from([IntervalUnit.WEEK, IntervalUnit.MONTH]),
        anchor=st.dates(date(2027, 3, 5), date(2027, 4, 10)),
        fixed=st.none() | st.integers(1, 6),
        policy=policies,
    )
    def sell(self, unit: IntervalUnit, anchor: date, fixed: int | None, policy: dict[str, Any]) -> None:
        schedule = Schedule(anchor=anchor, interval=Interval(unit=unit), zone=ZONE, fixed_periods=fixed)
        self.contract = SimulatedContract(schedule, Policy.model_validate(policy))

    # Time.

    @rule(hours=st.integers(1, 24 * 9) | st.integers(24 * 20, 24 * 60))
    def time_passes(self, hours: int) -> None:
        self.contract.move_to(self.contract.now + timedelta(hours=hours))

    @rule()
    def next_due_instant_arrives(self) -> None:
        self.contract.move_to(next_due(self.state, self.contract.now) or self.contract.now)

    # What happens at Billogram.

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, amount=st.sampled_from([1_00, 200_00, TOTAL_MINOR, 2 * TOTAL_MINOR]), with_callback=st.booleans())
    def payment_arrives(self, pick: int, amount: int, with_callback: bool) -> None:
        self.occurred["payment"] += 1
        self.contract.add_fact(self.picked(pick), FactType.PAYMENT, with_callback=with_callback, amount_minor=amount)

    @rule()
    def all_bills_are_paid(self) -> None:
        for bill in list(self.contract.bills.values()):
            remaining = add_up(bill.happened, TOTAL_MINOR).remaining_minor
            if remaining > 0:
                self.occurred["payment of all bills"] += 1
                self.contract.add_fact(bill, FactType.PAYMENT, with_callback=True, amount_minor=remaining)

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, with_callback=st.booleans())
    def payment_is_reversed(self, pick: int, with_callback: bool) -> None:
        bill = self.picked(pick)
        payments = [fact.amount_minor or 0 for fact in bill.happened if fact.type is FactType.PAYMENT]
        if payments and add_up(bill.happened, TOTAL_MINOR).paid_minor >= payments[-1]:
            self.occurred["reversal"] += 1
            self.contract.add_fact(
                bill, FactType.PAYMENT_REVERSED, with_callback=with_callback, amount_minor=payments[-1]
            )

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, amount=st.sampled_from([95_00, TOTAL_MINOR]), with_callback=st.booleans())
    def bill_is_credited(self, pick: int, amount: int, with_callback: bool) -> None:
        self.occurred["credit"] += 1
        self.contract.add_fact(self.picked(pick), FactType.CREDIT, with_callback=with_callback, amount_minor=amount)

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, with_callback=st.booleans())
    def bill_is_lost(self, pick: int, with_callback: bool) -> None:
        bill = self.picked(pick)
        if add_up(bill.happened, TOTAL_MINOR).remaining_minor > 0:
            self.occurred["loss"] += 1
            self.contract.add_fact(bill, FactType.LOSS, with_callback=with_callback)

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, days=st.integers(1, 40), with_callback=st.booleans())
    def respite_is_granted(self, pick: int, days: int, with_callback: bool) -> None:
        self.occurred["respite"] += 1
        day = civil_day(self.contract.now, ZONE) + timedelta(days=days)
        self.contract.add_fact(self.picked(pick), FactType.DUE_DATE_MOVED, with_callback=with_callback, due_date=day)

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, kind=st.sampled_from([FactType.REMINDED, FactType.FEES_WAIVED, FactType.DOUBTFUL]))
    def fact_without_consequence_arrives(self, pick: int, kind: FactType) -> None:
        before = self.access_and_statuses()
        self.contract.add_fact(self.picked(pick), kind, with_callback=True, amount_minor=60_00)
        assert self.access_and_statuses() == before

    # How it becomes known.

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks, random=st.randoms(use_true_random=False))
    def callbacks_arrive_late_repeated_and_shuffled(self, pick: int, random: Any) -> None:
        self.occurred["shuffled callbacks"] += 1
        bill = self.picked(pick)
        facts = [fact for fact in bill.happened for _ in range(random.randint(1, 2))]
        random.shuffle(facts)
        for fact in facts:
            self.contract.store_facts(bill, [fact])

    @rule()
    def all_bills_are_reconciled(self) -> None:
        for bill in list(self.contract.bills.values()):
            self.occurred["reconciliation"] += 1
            self.contract.store_facts(bill, bill.happened)

    @precondition(lambda self: self.contract.bills)
    @rule(pick=picks)
    def signal_is_repeated(self, pick: int) -> None:
        self.occurred["repeated signal"] += 1
        self.contract.signal(self.picked(pick))

    @rule(is_down=st.booleans())
    def platform_goes_down_or_up(self, is_down: bool) -> None:
        self.occurred["outage"] += is_down
        self.contract.platform_is_down = is_down

    # What operators do.

    @rule(at=st.sampled_from(["now", "period_end"]) | st.integers(0, 60))
    def contract_is_cancelled(self, at: Any) -> None:
        day = civil_day(self.contract.now, ZONE) + timedelta(days=at) if isinstance(at, int) else at
        try:
            self.contract.state = cancel(self.state, CONTRACT_ID, day, self.contract.now)
        except CommandRefused:
            return
        self.occurred["cancellation"] += 1
        self.contract.work()

    @rule()
    def cancellation_is_revoked(self) -> None:
        was_cancelled = self.state.ending is not None and self.state.ending.reason is EndReason.CANCELLED
        try:
            self.contract.state = revoke_cancellation(self.state, CONTRACT_ID, self.contract.now)
        except CommandRefused:
            return
        self.occurred["revocation"] += was_cancelled
        self.contract.work()

    @rule(change=policies, to_open_bills=st.booleans())
    def policy_changes(self, change: dict[str, Any], to_open_bills: bool) -> None:
        self.occurred["policy change"] += 1
        self.contract.policy = Policy.model_validate(change)
        self.contract.policy_version += 1
        for bill in list(self.contract.bills.values()) if to_open_bills else []:
            if bill.expected_status() in (BillStatus.OPEN, BillStatus.EXPIRED):
                self.occurred["policy change for open bills"] += 1
                bill.policy, bill.policy_version = self.contract.policy, self.contract.policy_version
                self.contract.store_facts(bill, [])

    # What must hold.

    @invariant()
    def statuses_follow_from_the_facts(self) -> None:
        for bill in self.contract.bills.values():
            self.occurred[repr(bill.expected_status())] += 1
            assert bill.snapshot().status is bill.expected_status()

    @invariant()
    def access_equals_a_recomputation(self) -> None:
        if self.state.platform_tasks.get(PlatformTask.VERIFY):
            self.occurred["failed platform task"] += 1
            return  # the platform is down, and nobody is cut off on unverified facts
        blocks = [block for bill in self.contract.bills.values() if (block := bill.block())]
        starts_at = local_midnight(self.contract.schedule.anchor, ZONE)
        expected = oracle.access_at(self.contract.now, starts_at, self.state.ending, blocks)
        found = access_of(self.state, self.contract.now)
        self.occurred.update([repr(expected[1]), repr(snapshot(self.state, self.contract.now).status)])
        assert (found.access, found.reason) == expected
        assert found.since <= self.contract.now
        assert self.state.written is not None
        assert (self.state.written.access, self.state.written.reason) == expected

    @invariant()
    def every_period_is_billed_or_waiting_or_was_without_access(self) -> None:
        billed = {bill.period for bill in self.contract.bills.values()}
        skipped = {number for each in self.state.skipped_periods for number in range(each.first, each.last + 1)}
        waiting = {*range(max(billed | skipped | {0}) + 1)} - billed - skipped
        assert not billed & skipped
        assert min(waiting, default=self.state.next_period) >= self.state.next_period
        for number in skipped:
            self.occurred["period without access"] += 1
            self.assert_without_access(number)
        is_active = snapshot(self.state, self.contract.now).status is ContractStatus.ACTIVE
        if is_active and not self.contract.has_platform_tasks:
            assert not waiting
            self.assert_next_renewal_lies_ahead(max(billed | skipped | {0}))

    def assert_without_access(self, period: int) -> None:
        start, end = (self.contract.schedule.renewal_instant(number) for number in (period, period + 1))
        assert any(off <= start and end <= on for off, on in self.contract.without_access)

    def assert_next_renewal_lies_ahead(self, newest_period: int) -> None:
        renewal = self.contract.schedule.renewal_instant(newest_period + 1)
        renewal += timedelta(minutes=self.state.renewal_terms.work_window_minutes)
        if renewal <= self.contract.now:
            assert self.state.ending is not None
            assert self.state.ending.reason is EndReason.FIXED_TERM

    @invariant()
    def each_period_has_one_bill_in_force(self) -> None:
        in_force = [bill.period for bill in self.contract.bills.values() if not bill.is_void]
        assert len(in_force) == len(set(in_force))

    @invariant()
    def an_ended_contract_stays_ended(self) -> None:
        ending = self.state.ending
        if ending is not None and self.contract.now >= ending.at:
            self.occurred[repr(ending.reason)] += 1
            assert access_of(self.state, self.contract.now).access is Access.OFF
            assert snapshot(self.state, self.contract.now).status is ContractStatus.ENDED

    @invariant()
    def a_contract_ends_unpaid_at_a_renewal_without_access(self) -> None:
        ending = self.state.ending
        if ending is not None and ending.reason is EndReason.UNPAID:
            assert any(off <= ending.at <= on for off, on in self.contract.without_access)

    @invariant()
    def nothing_due_lies_in_the_past(self) -> None:
        due = next_due(self.state, self.contract.now)
        assert due is None or due > self.contract.now

    @invariant()
    def the_state_survives_serialisation(self) -> None:
        assert ContractState.model_validate_json(self.state.model_dump_json()) == self.state

    @property
    def state(self) -> ContractState:
        return self.contract.state

    def picked(self, pick: int) -> SimulatedBill:
        return picked(list(self.contract.bills.values()), pick)

    def access_and_statuses(self) -> tuple[object, ...]:
        access = access_of(self.state, self.contract.now)
        statuses = sorted((bill.bill_id, bill.expected_status()) for bill in self.contract.bills.values())
        return access.access, access.reason, statuses


def test_random_contracts_equal_a_plain_recomputation() -> None:
    Outcomes.occurred.clear()
    run_state_machine_as_test(
        Outcomes, settings=settings(max_examples=2000, stateful_step_count=25, deadline=None, derandomize=True)
    )

    assert (RULES | FINDINGS | STATES) - set(+Outcomes.occurred) == set()
