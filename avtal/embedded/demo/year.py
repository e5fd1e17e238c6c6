"""The demo's year: sells what the story sells, moves the clock ten days at a time, and lets readers and staff act.

Every act goes over HTTP, to Avtal or to Billogram; only the clock is moved in the store, as `avtal forward` does.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from avtal.api.responses.models import BillWithHistory, ContractResponse
from avtal.contracts.bills.bill import BillStatus, ParkedReason, bill_parts
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.periods import civil_day, local_midnight
from avtal.contracts.policy import Policy
from avtal.embedded.demo.clients import Json, Platform, Publisher
from avtal.embedded.demo.scenario import PARTLY_PAID, PARTS, ROUND_DAYS, ROUNDS, Part
from avtal.embedded.timespan import ZONE
from avtal.store.engine.clock import TestClock

LOOK_SECONDS = 0.02
OFFICE_OPENS = timedelta(hours=9)
GIVEN_UP_AFTER = timedelta(days=10)
"""After the due date, of a bill that is to be a loss."""


class ClockStopped(RuntimeError):
    """The year did not go on; the text says why."""


class Year:
    def __init__(self, clock: TestClock, publisher: Publisher, platform: Platform, sales: Sequence[Json]) -> None:
        self.clock = clock
        self.first_day = civil_day(clock.now(), ZONE)
        self.seen: defaultdict[str, set[str]] = defaultdict(set)
        """By contract: every state and reason that showed on the way."""
        self._publisher = publisher
        self._platform = platform
        self._sales = {str(sale["contract_id"]): sale for sale in sales}

    @property
    def today(self) -> date:
        return civil_day(self.clock.now(), ZONE)

    async def play(self) -> None:
        """Raises CallRefused, ClockStopped."""
        for contract_id, sale in self._sales.items():
            starts = self.first_day + timedelta(days=PARTS[contract_id].starts_in_days)
            await self._publisher.sell(sale | {"start_date": starts.isoformat()})
        for number in range(1, ROUNDS + 1):
            day = local_midnight(self.first_day + timedelta(days=number * ROUND_DAYS), ZONE)
            await self._forward(day + OFFICE_OPENS)
            await self._act(number)
        await self._forward(self.clock.now() + timedelta(hours=1))

    async def _forward(self, target: datetime) -> None:
        self.clock.aim(target)
        while self.clock.target() is not None:  # noqa: ASYNC110 - what is awaited is a row in the store
            await asyncio.sleep(LOOK_SECONDS)
        last_error = self.clock.last_error()
        if last_error is not None:
            raise ClockStopped(f"the clock stopped at {self.clock.now():%Y-%m-%d %H:%M} UTC: {last_error}")

    async def _act(self, number: int) -> None:
        contracts = await self._publisher.contracts()
        await asyncio.gather(*(self._play_part(PARTS[one.contract_id], one, number) for one in contracts))

    async def _play_part(self, part: Part, contract: ContractResponse, number: int) -> None:
        seen = self.seen[contract.contract_id]
        seen |= {contract.status, contract.access.reason, *(parked.reason for parked in contract.parked)}
        if number == part.cancelled_in_round:
            await self._publisher.cancel(contract.contract_id)
        if number == part.mended_in_round:
            await self._mend(part, contract)
        for parked in contract.parked:
            if parked.reason is ParkedReason.REMOTE_DELETED:
                await self._publisher.retry(parked.bill_id)
        for bill_id in contract.open_bills:
            bill = await self._publisher.bill(bill_id)
            seen |= {bill.status, *(entry.type for entry in bill.history)}
            if bill.status is BillStatus.OPEN and bill.remaining != bill.total:
                seen.add(PARTLY_PAID)
            await self._deal_with(part, bill)

    async def _mend(self, part: Part, contract: ContractResponse) -> None:
        subscriber = self._sales[contract.contract_id]["subscriber"]
        await self._publisher.mend(subscriber | {"email": part.mended_email})
        for parked in contract.parked:
            await self._publisher.retry(parked.bill_id)

    async def _deal_with(self, part: Part, bill: BillWithHistory) -> None:
        """What staff and the reader do in this round about a bill that is not settled."""
        if bill.billogram_id is None:
            return
        if bill.status is BillStatus.DRAFT and bill.delivery_method is not None:
            await self._decide(part, bill, bill.billogram_id, bill.delivery_method)
        elif bill.status is BillStatus.OPEN:
            await self._settle(part, bill, bill.billogram_id)

    async def _decide(self, part: Part, bill: BillWithHistory, billogram_id: str, method: DeliveryMethod) -> None:
        """Staff send a draft, or delete it; the revision that replaces it they send."""
        if bill_parts(bill.bill_id) == (bill.contract_id, part.deleted_period, 0):
            await self._platform.delete(billogram_id)
        else:
            await self._platform.send(billogram_id, method)

    async def _settle(self, part: Part, bill: BillWithHistory, billogram_id: str) -> None:
        assert bill.due_date is not None, "an open bill was sent"
        if bill.period.number == part.credited_period:
            await self._platform.credit(billogram_id)
        elif bill.period.number == part.lost_period:
            if self.today >= bill.due_date + GIVEN_UP_AFTER:
                await self._platform.give_up(billogram_id)
        elif self.today >= bill.due_date - self._payment_days(bill) + timedelta(days=part.pays_after_days):
            payer = self._sales[bill.contract_id]["subscriber"]["name"]
            is_half = part.pays_in_parts and bill.remaining == bill.total
            amount = f"{Decimal(bill.remaining) / 2:.2f}" if is_half else bill.remaining
            await self._platform.pay(billogram_id, amount, payer, part.pays_by)

    def _payment_days(self, bill: BillWithHistory) -> timedelta:
        policy = self._sales[bill.contract_id].get("policy", {})
        return timedelta(days=policy.get("payment_days", Policy().payment_days))
