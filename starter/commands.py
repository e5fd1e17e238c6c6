"""Sends commands to a running contract, as updates of its workflow. If Temporal is unavailable, nothing changes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from avtal.contracts.bills.bill import Fact, FactType
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.schedule import CancelAt, cancellation
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.facts import append_facts
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import StoredContract, contract
from avtal.store.queues.outbox import queue_start_if_none
from avtal.store.tables import BillRow
from starter.errors import CommandRefused, ContractNotFound, TemporalUnavailable
from workflows.contract import ContractWorkflow
from workflows.messages import CancelRequest, CommandResult, workflow_id

EFFECT_SECONDS_MAX = 5.0
START_SECONDS_MAX = 5.0
UPDATE_TIMEOUT = timedelta(seconds=10)

Handle = WorkflowHandle[ContractWorkflow, None]
Update = Callable[[Handle], Awaitable[CommandResult]]


class Commands:
    """Each command returns when the store's rows show its effect, or after `EFFECT_SECONDS_MAX`: then it is accepted,
    and the rows follow. All may raise ContractNotFound, CommandRefused, TemporalUnavailable; all are safe to repeat."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._clock = clock

    async def cancel(self, account: str, contract_id: str, at: CancelAt) -> None:
        """`at` is "period_end", "now", or the first day without access."""
        stored = await asyncio.to_thread(self._contract, account, contract_id)
        if stored.status is ContractStatus.ENDED:
            cancellation(stored.schedule, stored.ending, at, self._clock.now())  # refuses, unless it is a repeat
            return
        result = await self._update(
            stored,
            lambda handle: handle.execute_update(
                ContractWorkflow.cancel, CancelRequest(at=at), rpc_timeout=UPDATE_TIMEOUT
            ),
        )
        await self._wait_until(lambda: self._contract(account, contract_id).counter >= result.counter)

    async def revoke_cancellation(self, account: str, contract_id: str) -> None:
        stored = await asyncio.to_thread(self._contract, account, contract_id)
        result = await self._update(
            stored,
            lambda handle: handle.execute_update(ContractWorkflow.revoke_cancellation, rpc_timeout=UPDATE_TIMEOUT),
        )
        await self._wait_until(lambda: self._contract(account, contract_id).counter >= result.counter)

    async def retry_bill(self, account: str, bill_id: str) -> str:
        """Returns the id of the bill that is made: the same, or its next revision."""
        bill = await asyncio.to_thread(self._bill, account, bill_id)
        stored = await asyncio.to_thread(self._contract, account, bill.contract_id)
        result = await self._update(
            stored,
            lambda handle: handle.execute_update(ContractWorkflow.retry_bill, bill_id, rpc_timeout=UPDATE_TIMEOUT),
        )
        retried_id = result.bill_id or bill_id
        version_before = bill.version if retried_id == bill_id else 0
        await self._wait_until(lambda: self._bill(account, retried_id).version > version_before)
        return retried_id

    async def waive_bill(self, account: str, bill_id: str, reason: str) -> None:
        """`reason` is stored in the bill's history; the workflow never sees it."""
        bill = await asyncio.to_thread(self._bill, account, bill_id)
        stored = await asyncio.to_thread(self._contract, account, bill.contract_id)
        await self._update(
            stored,
            lambda handle: handle.execute_update(ContractWorkflow.waive_bill, bill_id, rpc_timeout=UPDATE_TIMEOUT),
        )
        await asyncio.to_thread(self._append_waiver, account, bill_id, reason)
        await self._wait_until(lambda: self._bill(account, bill_id).void)

    async def _update(self, stored: StoredContract, update: Update) -> CommandResult:
        """Starts the workflow first if it is missing."""
        handle = self._client.get_workflow_handle_for(
            ContractWorkflow.run, workflow_id(stored.account, stored.contract_id)
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return await update(handle)
            except WorkflowUpdateFailedError as error:
                raise CommandRefused(getattr(error.cause, "message", str(error.cause))) from error
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                raise TemporalUnavailable("no worker responds; nothing was changed, try again") from error
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise TemporalUnavailable("Temporal does not respond; nothing was changed, try again") from error
                await asyncio.to_thread(self._queue_start, stored, deadline)
            except RuntimeError as error:  # a lazy client's first connection
                raise TemporalUnavailable("Temporal does not respond; nothing was changed, try again") from error
            await asyncio.sleep(0.1)

    async def _wait_until(self, is_effective: Callable[[], bool]) -> None:
        """Polls: the worker writes the row in another process, which can't notify this one."""
        deadline = time.monotonic() + EFFECT_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                if await asyncio.to_thread(is_effective):
                    return
            except ContractNotFound:
                pass  # the row of a new revision is not written yet
            await asyncio.sleep(0.02)

    def _contract(self, account: str, contract_id: str) -> StoredContract:
        with self._database.read() as session:
            stored = contract(session, account, contract_id)
        if stored is None:
            raise ContractNotFound(f"no contract {contract_id}")
        return stored

    def _bill(self, account: str, bill_id: str) -> BillRow:
        with self._database.read() as session:
            row = session.get(BillRow, (account, bill_id))
        if row is None:
            raise ContractNotFound(f"no bill {bill_id}")
        return row

    def _queue_start(self, stored: StoredContract, deadline: float) -> None:
        """The workflow is missing: the contract has ended, or was sold a moment ago, or Temporal lost it."""
        if stored.status is ContractStatus.ENDED:
            raise CommandRefused("the contract has ended")
        if time.monotonic() > deadline:
            raise TemporalUnavailable("the contract is being started; nothing was changed, try again")
        with self._database.write() as session:
            queue_start_if_none(session, stored.account, stored.contract_id)

    def _append_waiver(self, account: str, bill_id: str, reason: str) -> None:
        fact = Fact(
            type=FactType.WAIVED,
            at=self._clock.now(),
            source="operator",
            digest=f"waived {bill_id}",
            detail={"reason": reason},
        )
        with self._database.write() as session:
            bill = lock_bill(session, account, bill_id)
            assert bill is not None, "the workflow accepted the command for it"
            append_facts(session, bill, [fact], signal=False)
