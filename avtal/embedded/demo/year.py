"""Runs the demo's year: sells the contracts, moves the clock ten days at a time, acts as subscribers and staff.

All actions go over HTTP to Avtal or Billogram. Only the clock is moved in the store, as by `avtal forward`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from avtal.api.responses.bodies import BillWithHistory, ContractResponse
from avtal.contracts.bills.bill import BillStatus, ParkedReason, bill_parts
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.periods import civil_day, local_midnight
from avtal.contracts.policy import Policy
from avtal.embedded.demo.clients import Json, PublisherClient, SandboxClient
from avtal.embedded.demo.scenario import PARTLY_PAID, ROUND_DAYS, ROUNDS, SCRIPTS, Script
from avtal.embedded.durations import ZONE
from avtal.embedded.forward import forward
from avtal.embedded.stack import Stack

OFFICE_OPENS = timedelta(hours=9)
LOSS_AFTER = timedelta(days=10)
"""After the due date of a bill that becomes a loss."""


class Year:
    def __init__(self, stack: Stack, publisher: PublisherClient, sandbox: SandboxClient, sales: Sequence[Json]) -> None:
        self._stack = stack
        self._publisher = publisher
        self._sandbox = sandbox
        self._sales = {str(sale["contract_id"]): sale for sale in sales}
        self.first_day = self.today
        self.observed: defaultdict[str, set[str]] = defaultdict(set)
        """Statuses and reasons, by contract."""

    @property
    def today(self) -> date:
        return civil_day(self._stack.clock.now(), ZONE)

    async def run(self) -> None:
        """Raises CallRefused, ForwardFailed."""
        for contract_id, sale in self._sales.items():
            starts = self.first_day + timedelta(days=SCRIPTS[contract_id].starts_in_days)
            await self._publisher.sell(sale | {"start_date": starts.isoformat()})
        for number in range(1, ROUNDS + 1):
            day = local_midnight(self.first_day + timedelta(days=number * ROUND_DAYS), ZONE)
            await self._forward(day + OFFICE_OPENS)
            await self._run_round(number)
        await self._forward(self._stack.clock.now() + timedelta(hours=1))

    async def _forward(self, target: datetime) -> None:
        await asyncio.to_thread(forward, self._stack.data_dir, self._stack.clock, target)

    async def _run_round(self, number: int) -> None:
        contracts = await self._publisher.contracts()
        await asyncio.gather(*(self._act(SCRIPTS[one.contract_id], one, number) for one in contracts))

    async def _act(self, script: Script, contract: ContractResponse, number: int) -> None:
        observed = self.observed[contract.contract_id]
        observed |= {contract.status, contract.access.reason, *(parked.reason for parked in contract.parked)}
        if number == script.cancelled_in_round:
            await self._publisher.cancel(contract.contract_id)
        if number == script.corrected_in_round:
            await self._correct_email(script, contract)
        for parked in contract.parked:
            if parked.reason is ParkedReason.REMOTE_DELETED:
                await self._publisher.retry(parked.bill_id)
        for bill_id in contract.open_bills:
            bill = await self._publisher.bill(bill_id)
            observed |= {bill.status, *(entry.type for entry in bill.history)}
            if bill.status is BillStatus.OPEN and bill.remaining != bill.total:
                observed.add(PARTLY_PAID)
            await self._handle_bill(script, bill)

    async def _correct_email(self, script: Script, contract: ContractResponse) -> None:
        subscriber = self._sales[contract.contract_id]["subscriber"]
        await self._publisher.update_subscriber(subscriber | {"email": script.corrected_email})
        for parked in contract.parked:
            await self._publisher.retry(parked.bill_id)

    async def _handle_bill(self, script: Script, bill: BillWithHistory) -> None:
        if bill.billogram_id is None:
            return
        if bill.status is BillStatus.DRAFT and bill.delivery_method is not None:
            await self._handle_draft(script, bill, bill.billogram_id, bill.delivery_method)
        elif bill.status is BillStatus.OPEN:
            await self._handle_open_bill(script, bill, bill.billogram_id)

    async def _handle_draft(
        self, script: Script, bill: BillWithHistory, billogram_id: str, method: DeliveryMethod
    ) -> None:
        """Staff send a draft or delete it; they send the revision that replaces it."""
        if bill_parts(bill.bill_id) == (bill.contract_id, script.deleted_period, 0):
            await self._sandbox.delete(billogram_id)
        else:
            await self._sandbox.send(billogram_id, method)

    async def _handle_open_bill(self, script: Script, bill: BillWithHistory, billogram_id: str) -> None:
        assert bill.due_date is not None, "an open bill was sent"
        if bill.period.number == script.credited_period:
            await self._sandbox.credit(billogram_id)
        elif bill.period.number == script.lost_period:
            if self.today >= bill.due_date + LOSS_AFTER:
                await self._sandbox.confirm_loss(billogram_id)
        elif self.today >= bill.due_date - self._payment_days(bill) + timedelta(days=script.pays_after_days):
            payer = self._sales[bill.contract_id]["subscriber"]["name"]
            is_half = script.pays_in_parts and bill.remaining == bill.total
            amount = f"{Decimal(bill.remaining) / 2:.2f}" if is_half else bill.remaining
            await self._sandbox.pay(billogram_id, amount, payer, script.pays_by)

    def _payment_days(self, bill: BillWithHistory) -> timedelta:
        policy = self._sales[bill.contract_id].get("policy", {})
        return timedelta(days=policy.get("payment_days", Policy().payment_days))
