"""Thirty random lives at once on the whole stack: random policies, random fates at Billogram, and callbacks that come
twice, late, in disorder, or never. Whenever all is quiet, the API's status and access of each contract, and the status
of each of its bills, are what a plain recomputation from the bills' histories says."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar

import pytest

from avtal.billogram.client import http_client
from avtal.contracts.access.access import AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import Interval, IntervalUnit, civil_day, local_midnight
from avtal.contracts.policy import Policy, RenewalWhileOff
from avtal.contracts.schedule import Ending, EndReason, Schedule
from avtal.reconciliation.sweep import Reconciler
from avtal.store.engine.cipher import Cipher
from tests import oracle
from tests.diaries.life import Json, Life
from tests.oracle import ZONE, Block, Told

LIVES = 30
STEPS = 5
STEP_DAYS = (13, 19)
AT_ONCE_MAX = 8
FAULTS = {"callbacks": {"duplicate": 0.3, "reorder": True, "delay_ms": [0, 60], "drop": 0.2}, "seed": 11}
Deed = tuple[str, Json]

FATES: Sequence[Deed] = (
    ("pay", {"amount": "100.00"}),
    *[("pay", {})] * 3,
    ("pay", {"amount": "500.00"}),
    *[("recall", {})] * 2,
    ("delivery", {"outcome": "failed"}),
)
"""What readers and banks do."""
COMMANDS: Sequence[Deed] = (
    ("credit", {"mode": "full"}),
    ("credit", {"mode": "amount", "amount": "95.00"}),
    ("confirmed-loss", {}),
    ("respite", {}),
    ("remove-respite", {}),
    ("writedown", {}),
)
"""What staff do."""

Answer = TypeVar("Answer")


class Bill(NamedTuple):
    """One bill as the API tells it: what happened, and what is made of it."""

    bill_id: str
    period: int
    status: BillStatus
    remaining: str
    told: Sequence[Told]
    is_void: bool


class Person:
    """One contract, what people asked of it, and what must follow."""

    def __init__(self, life: Life, number: int, draw: Random) -> None:
        self.life, self.draw, self.name = life, draw, f"random-{number}"
        while_off = draw.choice([*RenewalWhileOff])
        # Few different days: each one at which something falls due costs time.
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
        self.ending: Ending | None = None

    async def sell(self) -> None:
        sold = await self.life.sell(self.name, policy=self.overrides, fixed_periods=self.fixed)
        self.schedule = Schedule(
            anchor=date.fromisoformat(sold["terms"]["start_date"]),
            interval=Interval(unit=IntervalUnit.MONTH),
            fixed_periods=self.fixed,
        )
        self.ending = self.schedule.fixed_end()

    async def bills(self) -> list[Bill]:
        shown = await self.life.bills(self.name)
        newest = {bill["period"]["number"]: bill["bill_id"] for bill in shown}
        return [await self._bill(one["bill_id"], newest[one["period"]["number"]]) for one in shown]

    async def _bill(self, bill_id: str, newest: str) -> Bill:
        shown = await self.life.get(f"/v1/bills/{bill_id}")
        told = [_told(entry) for entry in shown["history"]]
        is_void = bill_id != newest or any(one.kind is FactType.WITHDRAWN for one in told)
        status = BillStatus(shown["status"])
        return Bill(bill_id, shown["period"]["number"], status, shown["remaining"], told, is_void)

    # What happens.

    async def suffer(self) -> None:
        """Something happens to one of its bills, or to the contract; what Billogram refuses does not."""
        shown = await self.life.bills(self.name)
        bill = self.draw.choice(shown[-3:])
        chance = self.draw.random()
        if chance < 0.05:
            await self._cancel()
        elif chance < 0.10:
            await self._revoke()
        elif bill["status"] == BillStatus.PARKED:
            await self.life.command(f"/v1/bills/{bill['bill_id']}/retry")
        elif bill["billogram_id"] is not None:
            await self._fate(bill)

    async def _fate(self, bill: Json) -> None:
        at = bill["billogram_id"]
        if bill["status"] == BillStatus.DRAFT:
            if self.draw.random() < 0.15:
                await self.life.billogram.delete(f"/billogram/{at}")
            else:
                await self.life.billogram.post(f"/billogram/{at}/command/send", json={"method": "Email"})
        elif self.draw.random() < 0.6:
            what, body = self.draw.choice(FATES)
            await self.life.sandbox.post(f"/sandbox/billograms/{at}/{what}", json=body)
        else:
            what, body = self.draw.choice(COMMANDS)
            until = self.life.today() + timedelta(days=self.draw.choice([5, 20]))
            body = {"date": str(until)} if what == "respite" else body
            await self.life.billogram.post(f"/billogram/{at}/command/{what}", json=body)

    async def _cancel(self) -> None:
        at = self.draw.choice(["now", "period_end", "period_end"])
        now = self.life.stack.clock.now()
        answer = await self.life.command(f"/v1/contracts/{self.name}/cancel", {"at": at})
        if answer.status_code != 200 or (self.ending is not None and now >= self.ending.at):
            return
        on = civil_day(now, ZONE) if at == "now" else self.schedule.period_at(now).end
        starts = now if at == "now" else local_midnight(on, ZONE)
        self.ending = Ending(on=on, at=starts, reason=EndReason.CANCELLED)

    async def _revoke(self) -> None:
        answer = await self.life.command(f"/v1/contracts/{self.name}/revoke-cancellation")
        assert (answer.status_code == 200) == (self.ending is None or self.life.stack.clock.now() < self.ending.at)
        if answer.status_code == 200:
            self.ending = self.schedule.fixed_end()

    # What must be.

    async def check(self, before: datetime) -> None:
        """`before` is when it was looked at last: in between nothing happened but time."""
        now = self.life.stack.clock.now()
        bills, shown = await self.bills(), await self.life.contract(self.name)
        for bill in bills:
            assert bill.status is oracle.status_of(bill.told, is_void=bill.is_void), (self, bill)
            if bill.status is BillStatus.OPEN:
                assert bill.remaining == f"{oracle.remaining_minor(bill.told) / 100:.2f}", (self, bill)
        found = [oracle.block_of(bill.bill_id, bill.told, self.policy, is_void=bill.is_void) for bill in bills]
        blocks = [block for block in found if block]
        self._end_unpaid(before, now, blocks)
        begins = local_midnight(self.schedule.anchor, ZONE)
        expected = oracle.access_at(now, begins, self.ending, blocks)
        status = self._status(now, expected[1], blocks, bills)

        access = shown["access"]
        assert (access["access"], access["reason"]) == expected, (self, now, blocks, shown)
        assert shown["status"] == status, (self, now, blocks, shown)
        in_force = [bill.period for bill in bills if not bill.is_void]
        assert len(in_force) == len({*in_force}), self

    def _end_unpaid(self, before: datetime, now: datetime, blocks: Sequence[Block]) -> None:
        """The policy ends the contract at the first boundary at which access is off."""
        if self.policy.renewal_while_off is not RenewalWhileOff.END:
            return
        for number in range(1, self.schedule.period_at(now).number + 1):
            at = self.schedule.renewal_instant(number)
            is_over = self.ending is not None and at >= self.ending.at
            if before < at and not is_over and any(block.at <= at for block in blocks):
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
        """One for each bill, unless it was deleted."""
        for bill in await self.bills():
            skipped_periods = await self.life.invoices({"bill_id": bill.bill_id})
            is_gone = any(one.kind in (FactType.DELETED, FactType.WITHDRAWN) for one in bill.told)
            assert len(skipped_periods) == 1 or (is_gone and not skipped_periods), (self, bill)

    def __repr__(self) -> str:
        return f"{self.name} {self.overrides} {self.fixed} {self.ending}"


@pytest.mark.parametrize("life", ["sqlite"], indirect=True)
async def test_thirty_random_lives_are_what_their_histories_say(life: Life) -> None:
    draw = Random(20261122)
    people = [Person(life, number, Random(draw.random())) for number in range(LIVES)]
    await at_once(person.sell() for person in people)
    looked_at = life.stack.clock.now()
    for _ in range(STEPS):
        async with life.faults(FAULTS):
            for _ in range(2):
                await at_once(person.suffer() for person in people if person.draw.random() < 0.5)
                await life.quiet()
        await reconcile(life)
        await at_once(person.check(looked_at) for person in people)
        looked_at = life.stack.clock.now()
        await life.forward(f"{draw.randint(*STEP_DAYS)}d")
        await at_once(person.check(looked_at) for person in people)
        looked_at = life.stack.clock.now()
    await at_once(person.check_invoices() for person in people)


async def reconcile(life: Life) -> None:
    """One sweep, and what it found has been told."""
    stack = life.stack
    async with http_client() as http:
        cipher = Cipher(stack.secrets.cipher_key)
        await Reconciler(stack.database, cipher, http, stack.clock, lambda: None).sweep("demo")
    await life.quiet()


async def at_once(work: Any) -> None:
    gate = asyncio.Semaphore(AT_ONCE_MAX)

    async def one(deed: Awaitable[Answer]) -> Answer:
        async with gate:
            return await deed

    await asyncio.gather(*(one(deed) for deed in work))


def _told(entry: Json) -> Told:
    detail = entry["detail"]
    return Told(
        FactType(entry["type"]),
        datetime.fromisoformat(entry["at"]),
        _minor(detail.get("amount")) or 0,
        _minor(detail.get("total")),
        date.fromisoformat(detail["due_date"]) if detail.get("due_date") else None,
    )


def _minor(text: str | None) -> int | None:
    return None if text is None else round(float(text) * 100)
