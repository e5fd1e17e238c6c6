"""A contract without Temporal and without a store: it runs the pure rules as the workflow and the store run them.

`happened` is what Billogram knows of a bill, `stored` what callbacks and reads have brought to the store.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

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
from avtal.contracts.lifecycle.contract_snapshot import snapshot, snapshot_at_sale
from avtal.contracts.lifecycle.renewals import apply_ending, end_if_unpaid
from avtal.contracts.lifecycle.state import PlatformTask, access_of, initial_state
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
from avtal.contracts.periods import civil_day
from avtal.contracts.policy import Policy
from avtal.contracts.schedule import Schedule
from tests import oracle
from tests.oracle import ZONE

CONTRACT_ID = "c-1"
SOLD_AT = datetime(2027, 3, 20, 9, 30, tzinfo=UTC)
TOTAL_MINOR = 395_00
STEPS_MAX = 200
FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class SimulatedBill:
    bill_id: str
    period: int
    revision: int
    policy: Policy
    policy_version: int
    happened: list[Fact] = field(default_factory=list)
    stored: list[Fact] = field(default_factory=list)
    is_void: bool = False
    version: int = 0
    decision_fields: tuple[object, ...] = ()

    def append(self, facts: Iterable[Fact]) -> None:
        """Stores the facts that are new; raises the version if a decision field changed."""
        for fact in facts:
            if not any(is_same_fact(fact, other) for other in self.stored):
                self.stored.append(fact)
        fields = tuple(self.snapshot().model_dump(exclude={"version"}).items())
        if fields != self.decision_fields:
            self.version += 1
            self.decision_fields = fields

    def snapshot(self) -> BillSnapshot:
        figures = add_up(self.stored, TOTAL_MINOR)
        return BillSnapshot(
            bill_id=self.bill_id,
            period=self.period,
            revision=self.revision,
            version=self.version,
            status=status_of(figures, made=True, parked=None, void=self.is_void),
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

    def expected_status(self) -> BillStatus:
        return oracle.status_of(self._oracle_facts(), is_void=self.is_void)

    def block(self) -> oracle.Block | None:
        return oracle.block_of(self.bill_id, self._oracle_facts(), self.policy, is_void=self.is_void)

    def _oracle_facts(self) -> list[oracle.OracleFact]:
        return [
            oracle.OracleFact(fact.type, fact.at, fact.amount_minor or 0, fact.total_minor, fact.due_date)
            for fact in sorted(self.stored, key=lambda fact: (fact.at, fact.digest))
        ]


class SimulatedContract:
    def __init__(self, schedule: Schedule, policy: Policy) -> None:
        self.schedule, self.policy, self.policy_version = schedule, policy, 1
        self.now = SOLD_AT
        self.state = initial_state(schedule, SOLD_AT, snapshot_at_sale(schedule, SOLD_AT), CONTRACT_ID)
        self.bills: dict[str, SimulatedBill] = {}
        self.facts_count = 0
        self.platform_is_down = False
        self.without_access: list[tuple[datetime, datetime]] = []
        """From when to when bills kept access off."""
        self.work()

    @property
    def has_platform_tasks(self) -> bool:
        return any(self.state.platform_tasks.values())

    def move_to(self, target: datetime) -> None:
        """Stops at every due instant on the way, as the workflow's timer does."""
        while (due := next_due(self.state, self.now)) is not None and self.now < due <= target:
            self.now = due
            self.work()
        self.now = max(self.now, target)
        self.work()

    def add_fact(self, bill: SimulatedBill, kind: FactType, *, with_callback: bool, **fields: Any) -> None:
        """The fact happens at Billogram now. Any: a field of Fact."""
        self.facts_count += 1
        fact = Fact(type=kind, at=self.now, source="platform", digest=f"{self.facts_count:06}", **fields)
        bill.happened.append(fact)
        if with_callback:
            self.store_facts(bill, [fact])

    def store_facts(self, bill: SimulatedBill, facts: Iterable[Fact]) -> None:
        bill.append(facts)
        self.signal(bill)

    def signal(self, bill: SimulatedBill) -> None:
        self.state = bill_changed(self.state, bill.snapshot(), self.now)
        self.work()

    def work(self) -> None:
        """What the workflow does whenever it wakes, until nothing changes any more."""
        for _ in range(STEPS_MAX):
            before = self.state
            self._note_access()
            self.state = apply_ending(end_if_unpaid(self.state, self.now), self.now)
            for period, revision in list(bills_due(self.state, self.now)):
                self.state = bill_requested(self.state, CONTRACT_ID, period, revision)
                self._make_bill(period.number, revision)
            for task, identity in platform_tasks_due(self.state, self.now):
                self.state = task_started(self.state, task, identity)
                self._run_task(task, self.bills[identity])
            self.state = snapshot_written(self.state, snapshot(self.state, self.now))
            self._note_access()
            if self.state == before:
                return
        raise AssertionError(f"the contract still changes after {STEPS_MAX} steps")

    def _make_bill(self, period: int, revision: int) -> None:
        identity = bill_id(CONTRACT_ID, period, revision)
        assert identity not in self.bills
        bill = SimulatedBill(identity, period, revision, self.policy, self.policy_version)
        due_date = civil_day(self.now, ZONE) + timedelta(days=self.policy.payment_days)
        self.bills[identity] = bill
        self.add_fact(bill, FactType.INVOICED, with_callback=False, total_minor=TOTAL_MINOR, due_date=due_date)
        bill.append(bill.happened)
        self.state = bill_made(self.state, identity, bill.snapshot(), self.now)

    def _run_task(self, task: PlatformTask, bill: SimulatedBill) -> None:
        if self.platform_is_down:
            self.state = task_failed(self.state, task, bill.bill_id, self.now)
        elif task is PlatformTask.VERIFY:
            bill.append(bill.happened)
            self.state = bill_verified(self.state, bill.snapshot(), self.now)
        else:
            self._withdraw(bill)

    def _withdraw(self, bill: SimulatedBill) -> None:
        """An invoice with payments is left as it is."""
        if add_up(bill.happened, TOTAL_MINOR).paid_minor <= 0:
            self.add_fact(bill, FactType.CREDIT, with_callback=False, amount_minor=TOTAL_MINOR)
            bill.is_void = True
        bill.append(bill.happened)
        self.state = bill_withdrawn(self.state, CONTRACT_ID, bill.snapshot(), self.now)

    def _note_access(self) -> None:
        access = access_of(self.state, self.now)
        was_off = bool(self.without_access) and self.without_access[-1][1] == FOREVER
        if access.blocking and not was_off:
            self.without_access.append((access.since, FOREVER))
        if not access.blocking and was_off:
            self.without_access[-1] = (self.without_access[-1][0], self.now)
