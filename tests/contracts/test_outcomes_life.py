"""Random lives with every outcome: status, access, and renewals equal what a plain recomputation says, at every step.

The platform keeps what really happened to each bill. Callbacks bring it in any order, twice, late, or never, until
somebody reads the billogram. The contract runs as its workflow would run it. Beside it stands an oracle that knows
nothing of states and versions: it looks at the facts that are known, at the policy, and at the time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import (
    BillSnapshot,
    BillStatus,
    Fact,
    FactType,
    add_up,
    bill_id,
    is_same_fact,
    status_of,
)
from avtal.contracts.lifecycle.commands import cancel, revoke_cancellation
from avtal.contracts.lifecycle.renewals import access_of, end_if_unpaid, snapshot, snapshot_at_sale
from avtal.contracts.lifecycle.state import ContractState, ContractStatus, PlatformTask, initial_state
from avtal.contracts.lifecycle.transitions import (
    bill_changed,
    bill_made,
    bill_requested,
    bill_verified,
    bill_withdrawn,
    bills_due,
    next_due,
    platform_tasks_due,
    snapshot_written,
    task_failed,
    task_started,
)
from avtal.contracts.periods import Interval, IntervalUnit, civil_day, local_midnight
from avtal.contracts.policy import OnLoss, Policy, RenewalWhileOff
from avtal.contracts.schedule import CommandRefused, EndReason, Schedule
from tests import oracle

ZONE = "Europe/Stockholm"
SOLD = datetime(2027, 3, 20, 9, 30, tzinfo=UTC)
TOTAL = 395_00
C = "c-1"
T = TypeVar("T")

pick = st.integers(0, 1000)
policies = st.fixed_dictionaries(
    {},
    optional={
        "grace_days": st.none() | st.integers(0, 20),
        "on_loss": st.sampled_from(OnLoss),
        "payment_days": st.integers(0, 20),
        "renewal_lead_days": st.integers(0, 5),
        "work_window_minutes": st.sampled_from([0, 300]),
        "renewal_while_off": st.sampled_from(RenewalWhileOff),
        "max_open_bills": st.none() | st.integers(1, 3),
    },
)


@dataclass
class Paper:
    """One bill: what happened at the platform, what of it the store knows, and what the store says."""

    identity: str
    period: int
    revision: int
    policy: Policy
    policy_version: int
    happened: list[Fact] = field(default_factory=list)
    known: list[Fact] = field(default_factory=list)
    void: bool = False
    version: int = 0
    said: tuple[object, ...] = ()

    def learn(self, facts: Iterable[Fact]) -> None:
        """The one door."""
        for fact in facts:
            if not any(is_same_fact(fact, other) for other in self.known):
                self.known.append(fact)
        record = self.record()
        decides = tuple(record.model_dump(exclude={"version"}).items())
        if decides != self.said:
            self.version += 1
            self.said = decides

    def record(self) -> BillSnapshot:
        figures = add_up(self.known, TOTAL)
        return BillSnapshot(
            bill_id=self.identity,
            period=self.period,
            revision=self.revision,
            version=self.version,
            status=status_of(figures, made=True, parked=None, void=self.void),
            dispatched_on=civil_day(figures.dispatched_at, ZONE) if figures.dispatched_at else None,
            due_date=figures.due_date,
            remaining_minor=figures.remaining_minor,
            lost_at=figures.lost_at,
            reopened_on=civil_day(figures.reopened_at, ZONE) if figures.reopened_at else None,
            policy_version=self.policy_version,
            grace_days=self.policy.grace_days,
            on_loss=self.policy.on_loss,
            lead_days=self.policy.renewal_lead_days,
            work_window_minutes=self.policy.work_window_minutes,
            renewal_while_off=self.policy.renewal_while_off,
            max_open_bills=self.policy.max_open_bills,
        )

    # What the oracle makes of what is known.

    def told(self) -> list[oracle.Told]:
        return [
            oracle.Told(fact.type, fact.at, fact.amount_minor or 0, fact.total_minor, fact.due_date)
            for fact in sorted(self.known, key=lambda fact: (fact.at, fact.digest))
        ]

    def expected_status(self) -> BillStatus:
        return oracle.status_of(self.told(), is_void=self.void)

    def block(self) -> oracle.Block | None:
        return oracle.block_of(self.identity, self.told(), self.policy, is_void=self.void)


class Outcomes(RuleBasedStateMachine):
    @initialize(
        unit=st.sampled_from([IntervalUnit.WEEK, IntervalUnit.MONTH]),
        anchor=st.dates(date(2027, 3, 5), date(2027, 4, 10)),
        fixed=st.none() | st.integers(1, 6),
        policy=policies,
    )
    def sell(self, unit: IntervalUnit, anchor: date, fixed: int | None, policy: dict[str, Any]) -> None:
        self.now, self.policy, self.policy_version = SOLD, Policy.model_validate(policy), 1
        self.schedule = Schedule(anchor=anchor, interval=Interval(unit=unit), zone=ZONE, fixed_periods=fixed)
        self.state = initial_state(self.schedule, SOLD, snapshot_at_sale(self.schedule, SOLD), C)
        self.papers: dict[str, Paper] = {}
        self.facts = 0
        self.down = False
        self.dark: list[list[datetime]] = []
        self.work()

    # Time.

    @rule(hours=st.integers(1, 24 * 9))
    def time_passes(self, hours: int) -> None:
        self.move_to(self.now + timedelta(hours=hours))

    @rule()
    def the_next_instant_comes(self) -> None:
        self.move_to(next_due(self.state, self.now) or self.now)

    def move_to(self, target: datetime) -> None:
        """As timers do: through every due instant on the way."""
        while (due := next_due(self.state, self.now)) is not None and self.now < due <= target:
            self.now = due
            self.work()
        self.now = max(self.now, target)
        self.work()

    # What happens at the platform.

    @precondition(lambda self: self.papers)
    @rule(number=pick, amount=st.sampled_from([1_00, 200_00, TOTAL, 2 * TOTAL]), comes=st.booleans())
    def money_comes(self, number: int, amount: int, comes: bool) -> None:
        self.happens(number, FactType.PAYMENT, comes, amount_minor=amount)

    @precondition(lambda self: self.with_money())
    @rule(number=pick, comes=st.booleans())
    def money_is_taken_back(self, number: int, comes: bool) -> None:
        paper = chosen(self.with_money(), number)
        amount = next(fact.amount_minor for fact in reversed(paper.happened) if fact.type is FactType.PAYMENT)
        back = sum(fact.amount_minor or 0 for fact in paper.happened if fact.type is FactType.PAYMENT_REVERSED)
        paid = sum(fact.amount_minor or 0 for fact in paper.happened if fact.type is FactType.PAYMENT)
        if paid - back >= (amount or 0):
            self.add(paper, FactType.PAYMENT_REVERSED, comes, amount_minor=amount)

    @precondition(lambda self: self.papers)
    @rule(number=pick, amount=st.sampled_from([95_00, TOTAL]), comes=st.booleans())
    def it_is_credited(self, number: int, amount: int, comes: bool) -> None:
        self.happens(number, FactType.CREDIT, comes, amount_minor=amount)

    @precondition(lambda self: self.papers)
    @rule(number=pick, comes=st.booleans())
    def it_is_given_up(self, number: int, comes: bool) -> None:
        paper = chosen(list(self.papers.values()), number)
        if add_up(paper.happened, TOTAL).remaining_minor > 0:
            self.add(paper, FactType.LOSS, comes)

    @precondition(lambda self: self.papers)
    @rule(number=pick, days=st.integers(1, 40), comes=st.booleans())
    def the_reader_gets_respite(self, number: int, days: int, comes: bool) -> None:
        day = civil_day(self.now, ZONE) + timedelta(days=days)
        self.happens(number, FactType.DUE_DATE_MOVED, comes, due_date=day)

    @precondition(lambda self: self.papers)
    @rule(number=pick, kind=st.sampled_from([FactType.REMINDED, FactType.FEES_WAIVED, FactType.DOUBTFUL]))
    def something_without_consequence(self, number: int, kind: FactType) -> None:
        before = self.seen()
        self.happens(number, kind, True, amount_minor=60_00)
        assert self.seen() == before

    # How it becomes known.

    @precondition(lambda self: self.papers)
    @rule(number=pick, seed=st.randoms(use_true_random=False))
    def callbacks_come_late_twice_and_in_any_order(self, number: int, seed: Any) -> None:
        paper = chosen(list(self.papers.values()), number)
        late = [fact for fact in paper.happened for _ in range(seed.randint(1, 2))]
        seed.shuffle(late)
        for fact in late:
            paper.learn([fact])
            self.hear(paper)

    @rule()
    def everything_is_reconciled(self) -> None:
        for paper in list(self.papers.values()):
            paper.learn(paper.happened)
            self.hear(paper)

    @precondition(lambda self: self.papers)
    @rule(number=pick)
    def old_news_comes_again(self, number: int) -> None:
        self.hear(chosen(list(self.papers.values()), number))

    @rule(down=st.booleans())
    def the_platform_goes_down_or_up(self, down: bool) -> None:
        self.down = down

    # What people do.

    @rule(at=st.sampled_from(["now", "period_end"]) | st.integers(0, 60))
    def somebody_cancels(self, at: Any) -> None:
        day = civil_day(self.now, ZONE) + timedelta(days=at) if isinstance(at, int) else at
        try:
            self.state = cancel(self.state, day, self.now)
        except CommandRefused:
            return
        self.work()

    @rule()
    def somebody_revokes(self) -> None:
        try:
            self.state = revoke_cancellation(self.state, C, self.now)
        except CommandRefused:
            return
        self.work()

    @rule(change=policies, to_open_bills=st.booleans())
    def the_policy_changes(self, change: dict[str, Any], to_open_bills: bool) -> None:
        self.policy, self.policy_version = Policy.model_validate(change), self.policy_version + 1
        if not to_open_bills:
            return
        for paper in list(self.papers.values()):
            if paper.expected_status() in (BillStatus.OPEN, BillStatus.EXPIRED):
                paper.policy, paper.policy_version = self.policy, self.policy_version
                paper.learn([])
                self.hear(paper)

    # What must hold.

    @invariant()
    def statuses_are_what_the_facts_say(self) -> None:
        for paper in self.papers.values():
            assert paper.record().status is paper.expected_status()

    @invariant()
    def access_is_what_a_recomputation_says(self) -> None:
        if self.state.platform_tasks.get(PlatformTask.VERIFY):
            return  # the platform is down, and nobody is cut off by what can't be checked
        access, reason = self.expected_access()
        found = access_of(self.state, self.now)
        assert (found.access, found.reason) == (access, reason)
        assert found.since <= self.now
        assert self.state.written is not None
        assert (self.state.written.access, self.state.written.reason) == (access, reason)

    @invariant()
    def every_period_is_billed_held_or_was_dark(self) -> None:
        billed = sorted({paper.period for paper in self.papers.values()})
        dark = [number for skipped in self.state.skipped_periods for number in range(skipped.first, skipped.last + 1)]
        assert not set(billed) & set(dark)
        newest = max(billed, default=0)
        waiting = {*range(max([newest, *dark]) + 1)} - {*billed, *dark}
        assert all(number >= self.state.next_period for number in waiting)
        for number in dark:
            start, end = (self.schedule.renewal_instant(n) for n in (number, number + 1))
            assert any(off <= start and end <= on for off, on in self.dark)
        status = snapshot(self.state, self.now).status
        assert not waiting or self.has_platform_tasks or status is not ContractStatus.ACTIVE
        following = self.schedule.renewal_instant(max([newest, *dark]) + 1)
        following += timedelta(minutes=self.state.renewal_terms.window_minutes)
        if following <= self.now and status is ContractStatus.ACTIVE and not self.has_platform_tasks:
            assert self.state.ending is not None
            assert self.state.ending.reason is EndReason.FIXED_TERM

    @invariant()
    def each_period_has_one_bill_in_force(self) -> None:
        in_force = [paper.period for paper in self.papers.values() if not paper.void]
        assert len(in_force) == len(set(in_force))

    @invariant()
    def an_ended_contract_stays_ended(self) -> None:
        ending = self.state.ending
        if ending is not None and self.now >= ending.at:
            assert access_of(self.state, self.now).access is Access.OFF
            assert snapshot(self.state, self.now).status is ContractStatus.ENDED

    @invariant()
    def a_contract_ends_unpaid_at_a_boundary_at_which_access_was_off(self) -> None:
        ending = self.state.ending
        if ending is not None and ending.reason is EndReason.UNPAID:
            assert any(off <= ending.at <= on for off, on in self.dark)

    @invariant()
    def nothing_due_lies_in_the_past(self) -> None:
        due = next_due(self.state, self.now)
        assert due is None or due > self.now

    @invariant()
    def the_state_survives_the_wire(self) -> None:
        assert ContractState.model_validate_json(self.state.model_dump_json()) == self.state

    # The workflow, and the store.

    def work(self) -> None:
        for _ in range(200):
            before = self.state
            self.watch()
            self.state = end_if_unpaid(self.state, self.now)
            for period, revision in list(bills_due(self.state, self.now)):
                self.state = bill_requested(self.state, C, period, revision)
                self.make(period.number, revision)
            for task, identity in platform_tasks_due(self.state, self.now):
                self.state = task_started(self.state, task, identity)
                self.run_task(task, identity)
            self.state = snapshot_written(self.state, snapshot(self.state, self.now))
            self.watch()
            if self.state == before:
                return
        raise AssertionError("the contract does not come to rest")

    def make(self, period: int, revision: int) -> None:
        identity = bill_id(C, period, revision)
        assert identity not in self.papers
        paper = Paper(identity, period, revision, self.policy, self.policy_version)
        due = civil_day(self.now, ZONE) + timedelta(days=self.policy.payment_days)
        self.papers[identity] = paper
        self.add(paper, FactType.INVOICED, comes=False, total_minor=TOTAL, due_date=due)
        paper.learn(paper.happened)
        self.state = bill_made(self.state, identity, paper.record(), self.now)

    def run_task(self, task: PlatformTask, identity: str) -> None:
        paper = self.papers[identity]
        if self.down:
            self.state = task_failed(self.state, task, identity, self.now)
        elif task is PlatformTask.VERIFY:
            paper.learn(paper.happened)
            self.state = bill_verified(self.state, paper.record(), self.now)
        else:
            has_money = add_up(paper.happened, TOTAL).paid_minor > 0
            if not has_money:
                self.add(paper, FactType.CREDIT, comes=False, amount_minor=TOTAL)
                paper.void = True
            paper.learn(paper.happened)
            self.state = bill_withdrawn(self.state, C, paper.record(), self.now)

    @property
    def has_platform_tasks(self) -> bool:
        return any(self.state.platform_tasks.values())

    def happens(self, number: int, kind: FactType, comes: bool, **more: Any) -> None:
        self.add(chosen(list(self.papers.values()), number), kind, comes, **more)

    def add(self, paper: Paper, kind: FactType, comes: bool, **more: Any) -> None:
        self.facts += 1
        fact = Fact(type=kind, at=self.now, source="platform", digest=f"{self.facts:06}", **more)
        paper.happened.append(fact)
        if comes:
            paper.learn([fact])
            self.hear(paper)

    def hear(self, paper: Paper) -> None:
        self.state = bill_changed(self.state, paper.record(), self.now)
        self.work()

    def watch(self) -> None:
        """Writes down from when to when bills kept access off."""
        is_dark = bool(access_of(self.state, self.now).blocking)
        if is_dark and (not self.dark or self.dark[-1][1] != datetime.max.replace(tzinfo=UTC)):
            self.dark.append([access_of(self.state, self.now).since, datetime.max.replace(tzinfo=UTC)])
        if not is_dark and self.dark and self.dark[-1][1] == datetime.max.replace(tzinfo=UTC):
            self.dark[-1][1] = self.now

    def expected_access(self) -> tuple[Access, AccessReason]:
        blocks = [block for paper in self.papers.values() if (block := paper.block())]
        begins = local_midnight(self.schedule.anchor, ZONE)
        return oracle.access_at(self.now, begins, self.state.ending, blocks)

    def with_money(self) -> list[Paper]:
        return [paper for paper in self.papers.values() if any(f.type is FactType.PAYMENT for f in paper.happened)]

    def seen(self) -> tuple[object, ...]:
        found = access_of(self.state, self.now)
        statuses = sorted((paper.identity, paper.expected_status()) for paper in self.papers.values())
        return found.access, found.reason, statuses


def chosen(options: list[T], number: int) -> T:
    return options[number % len(options)]


Outcomes.TestCase.settings = settings(max_examples=2000, stateful_step_count=25, deadline=None, derandomize=True)
test_random_lives = Outcomes.TestCase
