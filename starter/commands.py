"""What an operator asks of a running contract: updates of its workflow. With Temporal away nothing is changed.

A command answers when the store's rows show its effect, or after `ROWS_SECONDS`: it was accepted in any case.
"""

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
from avtal.contracts.schedule import CancelAt, CommandRefused, cancellation
from avtal.store.billing.bills import lock_bill
from avtal.store.billing.facts import append_facts
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import StoredContract, contract
from avtal.store.queues.outbox import queue_start_if_none
from avtal.store.tables import BillRow
from workflows.contract import ContractWorkflow
from workflows.messages import CancelRequest, CommandResult, workflow_id

ROWS_SECONDS = 5.0
STARTING_SECONDS = 5.0
UPDATE_TIMEOUT = timedelta(seconds=10)

Handle = WorkflowHandle[ContractWorkflow, None]
Update = Callable[[Handle], Awaitable[CommandResult]]


class ContractNotFound(LookupError):
    """The account has no such contract, or no such bill."""


class TemporalUnavailable(RuntimeError):
    """Temporal does not answer, or no worker does. Nothing was changed; ask again."""


class Commands:
    """Every method may raise ContractNotFound, Refused, TemporalUnavailable, and may be repeated without harm."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._clock = clock

    async def cancel(self, account: str, contract_id: str, at: CancelAt) -> None:
        found = await asyncio.to_thread(self._contract, account, contract_id)
        if found.status is ContractStatus.ENDED:
            cancellation(found.schedule, found.ending, at, self._clock.now())
            return
        result = await self._update(
            found,
            lambda handle: handle.execute_update(
                ContractWorkflow.cancel, CancelRequest(at=at), rpc_timeout=UPDATE_TIMEOUT
            ),
        )
        await self._until(lambda: self._contract(account, contract_id).counter >= result.counter)

    async def revoke_cancellation(self, account: str, contract_id: str) -> None:
        found = await asyncio.to_thread(self._contract, account, contract_id)
        result = await self._update(
            found,
            lambda handle: handle.execute_update(ContractWorkflow.revoke_cancellation, rpc_timeout=UPDATE_TIMEOUT),
        )
        await self._until(lambda: self._contract(account, contract_id).counter >= result.counter)

    async def retry_bill(self, account: str, bill_id: str) -> str:
        """The id of the bill that is made: the same, or its next revision."""
        before = await asyncio.to_thread(self._bill, account, bill_id)
        found = await asyncio.to_thread(self._contract, account, before.contract_id)
        result = await self._update(
            found,
            lambda handle: handle.execute_update(ContractWorkflow.retry_bill, bill_id, rpc_timeout=UPDATE_TIMEOUT),
        )
        renewed = result.bill_id or bill_id
        seen = before.version if renewed == bill_id else 0
        await self._until(lambda: self._bill(account, renewed).version > seen)
        return renewed

    async def waive_bill(self, account: str, bill_id: str, reason: str) -> None:
        """`reason` is kept in the bill's history; the workflow never sees it."""
        before = await asyncio.to_thread(self._bill, account, bill_id)
        found = await asyncio.to_thread(self._contract, account, before.contract_id)
        await self._update(
            found,
            lambda handle: handle.execute_update(ContractWorkflow.waive_bill, bill_id, rpc_timeout=UPDATE_TIMEOUT),
        )
        await asyncio.to_thread(self._note_reason, account, bill_id, reason)
        await self._until(lambda: self._bill(account, bill_id).void)

    async def _update(self, found: StoredContract, update: Update) -> CommandResult:
        handle = self._client.get_workflow_handle_for(
            ContractWorkflow.run, workflow_id(found.account, found.contract_id)
        )
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                return await update(handle)
            except WorkflowUpdateFailedError as error:
                raise CommandRefused(getattr(error.cause, "message", str(error.cause))) from error
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                raise TemporalUnavailable("no worker answers; nothing was changed, ask again") from error
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise TemporalUnavailable("Temporal does not answer; nothing was changed, ask again") from error
                await asyncio.to_thread(self._start_again, found, deadline)
            except RuntimeError as error:  # a lazy client's first connection
                raise TemporalUnavailable("Temporal does not answer; nothing was changed, ask again") from error
            await asyncio.sleep(0.1)

    async def _until(self, is_shown: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ROWS_SECONDS
        while time.monotonic() < deadline:
            try:
                if await asyncio.to_thread(is_shown):
                    return
            except ContractNotFound:
                pass  # a new revision's row is on its way
            await asyncio.sleep(0.02)

    def _contract(self, account: str, contract_id: str) -> StoredContract:
        with self._database.read() as session:
            found = contract(session, account, contract_id)
        if found is None:
            raise ContractNotFound(f"no contract {contract_id}")
        return found

    def _bill(self, account: str, bill_id: str) -> BillRow:
        with self._database.read() as session:
            found = session.get(BillRow, (account, bill_id))
        if found is None:
            raise ContractNotFound(f"no bill {bill_id}")
        return found

    def _start_again(self, found: StoredContract, deadline: float) -> None:
        """The contract's process is not there: it is over, or the sale is only just stored, or it was lost."""
        if found.status is ContractStatus.ENDED:
            raise CommandRefused("the contract has ended")
        if time.monotonic() > deadline:
            raise TemporalUnavailable("the contract is being started; nothing was changed, ask again")
        with self._database.write() as session:
            queue_start_if_none(session, found.account, found.contract_id)

    def _note_reason(self, account: str, bill_id: str, reason: str) -> None:
        now = self._clock.now()
        fact = Fact(
            type=FactType.WAIVED, at=now, source="operator", digest=f"waived {bill_id}", detail={"reason": reason}
        )
        with self._database.write() as session:
            bill = lock_bill(session, account, bill_id)
            assert bill is not None, "the bill was there when the command was accepted"
            append_facts(session, bill, [fact], signal=False)
