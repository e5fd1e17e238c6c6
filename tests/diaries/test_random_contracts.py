"""Thirty random contracts on the whole stack: random policies, payments, and commands, with callbacks repeated, late,
reordered, or lost. Whenever the stack is idle, status and access equal a recomputation from the bills' histories."""

from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

import httpx
import pytest

from avtal.contracts.access.access import AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import Interval, IntervalUnit, civil_day, local_midnight
from avtal.contracts.policy import Policy, RenewalWhileOff
from avtal.contracts.schedule import Ending, EndReason, Schedule
from tests import oracle
from tests.diaries.diary import Diary, Json, in_parallel
from tests.oracle import ZONE, Block, OracleFact

CONTRACTS = 30
STEPS = 5
STEP_DAYS = (13, 19)
FAULTS = {"callbacks": {"duplicate": 0.3, "reorder": True, "delay_ms": [0, 60], "drop": 0.2}, "seed": 11}
Action = tuple[str, Json]

PAYMENTS: Sequence[Action] = (
    ("pay", {"amount": "100.00"}),
    *[("pay", {})] * 3,
    ("pay", {"amount": "500.00"}),
    *[("recall", {})] * 2,
    ("delivery", {"outcome": "failed"}),
)
"""By subscribers and banks, in the sandbox's control plane."""
COMMANDS: Sequence[Action] = (
    ("credit", {"mode": "full"}),
    ("credit", {"mode": "amount", "amount": "95.00"}),
    *[("confirmed-loss", {})] * 2,
    *[("respite", {})] * 2,
    *[("remove-respite", {})] * 3,
    ("writedown", {}),
)
"""By Billogram's staff."""
ACTIONS = {action for action, _ in (*PAYMENTS, *COMMANDS)} | {"send", "delete", "retry", "cancel", "revoke"}
STATES = {repr(state) for state in (*BillStatus, *ContractStatus, *AccessReason)} - {repr(BillStatus.CREATING)}


class Bill(NamedTuple):
    """One bill as the API shows it."""

    bill_id: str
    period: int
    status: BillStatus
    remaining: str
    facts: Sequence[OracleFact]
    is_void: bool


class RandomContract:
    """One contract, what happens to it, and what must follow."""

    def __init__(self, diary: Diary, number: int, draw: Random) -> None:
        self.diary, self.draw, self.name = diary, draw, f"random-{number}"
        while_off = draw.choice([*RenewalWhileOff])
        # Few different days, because each day on which something falls due takes time.
        self.overrides: Json = {
            "mode": draw.choice(["automatic", "automatic", "automatic", "draft"]),
            "grace_days": draw.choice([None, 0, 5, 5]),
            "payment_days": draw.choice([0, 10]),
            "on_loss": draw.choice(["turn_off", "turn_off", "keep_access"]),
            "renewal_while_off": while_off,
            "max_open_bills": draw.choice([None, None, 2, 3]),
            "renewal_lead_days": 0 if while_off is RenewalWhileOff.END else draw.choice([0, 0, 5]),
        }
        self.policy = Policy.model_validate(self.overrides)
        self.fixed = draw.choice([None, None, None, 3])
        self.start_days = draw.choice([0, 0, 0, 20])
        self.ending: Ending | None = None
        self.seen: Counter[str] = Counter()
        """How often each action succeeded, and each status and reason was checked."""

    async def sell(self) -> None:
        start = str(self.diary.today() + timedelta(days=self.start_days))
        sold = await self.diary.sell(self.name, policy=self.overrides, fixed_periods=self.fixed, start_date=start)
        self.schedule = Schedule(
            anchor=date.fromisoformat(sold["terms"]["start_date"]),
            interval=Interval(unit=IntervalUnit.MONTH),
            fixed_periods=self.fixed,
        )
        self.ending = self.schedule.fixed_end()

    async def bills(self) -> list[Bill]:
        shown = await self.diary.bills(self.name)
        newest = {bill["period"]["number"]: bill["bill_id"] for bill in shown}
        return [await self._bill(one["bill_id"], newest[one["period"]["number"]]) for one in shown]

    async def _bill(self, bill_id: str, newest: str) -> Bill:
        shown = await self.diary.get(f"/v1/bills/{bill_id}")
        facts = [_fact(entry) for entry in shown["history"]]
        is_void = bill_id != newest or any(one.kind is FactType.WITHDRAWN for one in facts)
        status = BillStatus(shown["status"])
        return Bill(bill_id, shown["period"]["number"], status, shown["remaining"], facts, is_void)

    # What happens.

    async def act(self) -> None:
        """Does something to the contract or one of its bills. Billogram may refuse it."""
        shown = await self.diary.bills(self.name)
        bill = self.draw.choice(shown[-3:])
        chance = self.draw.random()
        if chance < 0.05:
            await self._cancel()
        elif chance < 0.10:
            await self._revoke()
        elif bill["status"] == BillStatus.PARKED:
            await self._count("retry", self.diary.command(f"/v1/bills/{bill['bill_id']}/retry"))
        elif bill["billogram_id"] is not None:
            await self._act_at_billogram(bill)

    async def _act_at_billogram(self, bill: Json) -> None:
        at = bill["billogram_id"]
        if bill["status"] == BillStatus.DRAFT:
            if self.draw.random() < 0.4:
                await self._count("delete", self.diary.billogram.delete(f"/billogram/{at}"))
            else:
                path = f"/billogram/{at}/command/send"
                await self._count("send", self.diary.billogram.post(path, json={"method": "Email"}))
        elif self.draw.random() < 0.6:
            action, body = self.draw.choice(PAYMENTS)
            await self._count(action, self.diary.sandbox.post(f"/sandbox/billograms/{at}/{action}", json=body))
        else:
            action, body = self.draw.choice(COMMANDS)
            until = self.diary.today() + timedelta(days=self.draw.choice([5, 20]))
            body = {"date": str(until)} if action == "respite" else body
            await self._count(action, self.diary.billogram.post(f"/billogram/{at}/command/{action}", json=body))

    async def _cancel(self) -> None:
        at = self.draw.choice(["now", "period_end", "period_end"])
        now = self.diary.stack.clock.now()
        response = await self._count("cancel", self.diary.command(f"/v1/contracts/{self.name}/cancel", {"at": at}))
        if response.status_code != 200 or (self.ending is not None and now >= self.ending.at):
            return
        on = civil_day(now, ZONE) if at == "now" else self.schedule.period_at(now).end
        instant = now if at == "now" else local_midnight(on, ZONE)
        self.ending = Ending(on=on, at=instant, reason=EndReason.CANCELLED)

    async def _revoke(self) -> None:
        path = f"/v1/contracts/{self.name}/revoke-cancellation"
        response = await self._count("revoke", self.diary.command(path))
        assert (response.status_code == 200) == (self.ending is None or self.diary.stack.clock.now() < self.ending.at)
        if response.status_code == 200:
            self.ending = self.schedule.fixed_end()

    async def _count(self, action: str, request: Awaitable[httpx.Response]) -> httpx.Response:
        response = await request
        self.seen[action] += response.is_success
        return response

    # What must hold.

    async def check(self, before: datetime) -> None:
        """`before` is the time of the last check. Since then only time has passed."""
        now = self.diary.stack.clock.now()
        bills, shown = await self.bills(), await self.diary.contract(self.name)
        assert bills, self
        for bill in bills:
            assert bill.status is oracle.status_of(bill.facts, is_void=bill.is_void), (self, bill)
            if bill.status is BillStatus.OPEN:
                assert bill.remaining == f"{oracle.remaining_minor(bill.facts) / 100:.2f}", (self, bill)
        found = [oracle.block_of(bill.bill_id, bill.facts, self.policy, is_void=bill.is_void) for bill in bills]
        blocks = [block for block in found if block]
        self._end_unpaid(before, now, blocks)
        starts_at = local_midnight(self.schedule.anchor, ZONE)
        expected = oracle.access_at(now, starts_at, self.ending, blocks)
        status = self._status(now, expected[1], blocks, bills)

        access = shown["access"]
        assert (access["access"], access["reason"]) == expected, (self, now, blocks, shown)
        assert shown["status"] == status, (self, now, blocks, shown)
        self.seen.update(map(repr, (status, expected[1], *(bill.status for bill in bills))))
        in_force = [bill.period for bill in bills if not bill.is_void]
        assert len(in_force) == len({*in_force}), self

    def _end_unpaid(self, before: datetime, now: datetime, blocks: Sequence[Block]) -> None:
        """The policy ends the contract at the first renewal without access."""
        if self.policy.renewal_while_off is not RenewalWhileOff.END:
            return
        for number in range(1, self.schedule.period_at(now).number + 1):
            at = self.schedule.renewal_instant(number)
            has_ended = self.ending is not None and at >= self.ending.at
            if before < at and not has_ended and any(block.at <= at for block in blocks):
                on = self.schedule.period(number).start
                self.ending = Ending(on=on, at=at, reason=EndReason.UNPAID)
                return

    def _status(
        self, now: datetime, reason: AccessReason, blocks: Sequence[Block], bills: Sequence[Bill]
    ) -> ContractStatus:
        if self.ending is not None and now >= self.ending.at:
            return ContractStatus.ENDED
        if self.ending is not None and self.ending.reason is EndReason.CANCELLED:
            return ContractStatus.CANCELLING
        is_lost = any(block.reason is AccessReason.LOSS for block in blocks)
        following = max(bill.period for bill in bills) + 1
        start = self.schedule.period(following).start
        is_due = local_midnight(start - timedelta(days=self.policy.renewal_lead_days), ZONE) <= now
        is_held = is_due and (self.ending is None or start < self.ending.on)
        if is_held:
            open_ = sum(bill.status is BillStatus.OPEN for bill in bills)
            is_full = self.policy.max_open_bills is not None and open_ >= self.policy.max_open_bills
            assert is_lost or is_full or reason is AccessReason.PAST_GRACE, (self, now, bills)
        return ContractStatus.SUSPENDED if is_held or is_lost else ContractStatus.ACTIVE

    async def check_invoices(self) -> None:
        """Each bill has one, unless it was deleted."""
        for bill in await self.bills():
            invoices = await self.diary.invoices({"bill_id": bill.bill_id})
            is_deleted = any(one.kind in (FactType.DELETED, FactType.WITHDRAWN) for one in bill.facts)
            assert len(invoices) == 1 or (is_deleted and not invoices), (self, bill)

    def __repr__(self) -> str:
        return f"{self.name} {self.overrides} {self.fixed} {self.ending}"


@pytest.mark.parametrize("diary", ["sqlite"], indirect=True)
async def test_thirty_random_contracts_are_what_their_histories_say(diary: Diary) -> None:
    draw = Random(20261122)
    contracts = [RandomContract(diary, number, Random(draw.random())) for number in range(CONTRACTS)]
    await in_parallel(contract.sell() for contract in contracts)
    checked_at = diary.stack.clock.now()
    for _ in range(STEPS):
        async with diary.faults(FAULTS):
            for _ in range(2):
                await in_parallel(contract.act() for contract in contracts if contract.draw.random() < 0.7)
                await diary.drain()
        await diary.reconcile()
        await in_parallel(contract.check(checked_at) for contract in contracts)
        checked_at = diary.stack.clock.now()
        await diary.forward(f"{draw.randint(*STEP_DAYS)}d")
        await in_parallel(contract.check(checked_at) for contract in contracts)
        checked_at = diary.stack.clock.now()
    await in_parallel(contract.check_invoices() for contract in contracts)

    # The draws are seeded. If something no longer occurs, change the weights.
    seen = sum((contract.seen for contract in contracts), Counter[str]())
    assert (ACTIONS | STATES) - seen.keys() == set()


def _fact(entry: Json) -> OracleFact:
    detail = entry["detail"]
    return OracleFact(
        FactType(entry["type"]),
        datetime.fromisoformat(entry["at"]),
        _minor(detail.get("amount")) or 0,
        _minor(detail.get("total")),
        date.fromisoformat(detail["due_date"]) if detail.get("due_date") else None,
    )


def _minor(text: str | None) -> int | None:
    return None if text is None else round(float(text) * 100)
