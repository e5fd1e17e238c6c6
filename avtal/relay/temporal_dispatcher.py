"""Dispatches the outbox to Temporal: starts a contract's workflow, signals it. In order per contract.

A workflow that is not found is final only if the store says that the contract has ended. Otherwise the workflow is
started again from the contract's row, and finds the bills that it has.
"""

import asyncio
import logging
import time
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from avtal.contracts.lifecycle.ui_details import schedule_text
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract, snapshot_of_row
from avtal.store.queues.lease import FAILED_ATTEMPTS, LOGGED_EVERY, backoff_seconds
from avtal.store.queues.outbox import OutboxMessage, defer_message, finish_message, requeue_start
from avtal.tracing import span
from workflows.contract import ContractWorkflow
from workflows.messages import ContractStart, workflow_id
from workflows.search_attributes import search_attributes_at_start

RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX = 0.1, 5.0
RPC_TIMEOUT = timedelta(seconds=5)

log = logging.getLogger(__name__)


class TemporalDispatcher:
    def __init__(self, client: Client, database: Database, task_queue: str) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue

    async def dispatch(self, message: OutboxMessage) -> bool:
        """Whether Temporal has the message. If not, what comes next is in the store."""
        with span("dispatch to Temporal", message.traceparent):
            try:
                await (self._start(message) if message.bill_id is None else self._signal(message))
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    await asyncio.to_thread(self._restart_or_drop, message)
                else:
                    await asyncio.to_thread(self._retry_later, message, error.status.name)
            except RuntimeError:
                # What the SDK raises when it can't connect at all.
                await asyncio.to_thread(self._retry_later, message, "NOT_CONNECTED")
            else:
                return True
            return False

    async def _start(self, message: OutboxMessage) -> None:
        start = await asyncio.to_thread(self._contract_start, message)
        try:
            await self._client.start_workflow(
                ContractWorkflow.run,
                start,
                id=workflow_id(message.account, message.contract_id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                rpc_timeout=RPC_TIMEOUT,
                priority=Priority(fairness_key=message.account),
                search_attributes=search_attributes_at_start(start),
                static_summary=f"Contract {message.contract_id} of {message.account}",
                static_details=schedule_text(start.schedule),
            )
        except WorkflowAlreadyStartedError:
            return  # it has run to its end
        log.info("contract %s started", message.contract_id)

    async def _signal(self, message: OutboxMessage) -> None:
        handle: WorkflowHandle[ContractWorkflow, None] = self._client.get_workflow_handle_for(
            ContractWorkflow.run, workflow_id(message.account, message.contract_id)
        )
        if message.snapshot is not None:
            await handle.signal(ContractWorkflow.bill_changed, message.snapshot, rpc_timeout=RPC_TIMEOUT)

    def _contract_start(self, message: OutboxMessage) -> ContractStart:
        with self._database.read() as session:
            stored = contract(session, message.account, message.contract_id)
        assert stored is not None, "a start is queued with its contract"
        return ContractStart(
            account=stored.account,
            contract_id=stored.contract_id,
            schedule=stored.schedule,
            sold_at=stored.sold_at,
            snapshot=snapshot_of_row(stored),
        )

    def _restart_or_drop(self, message: OutboxMessage) -> None:
        with self._database.write() as session:
            is_live = requeue_start(session, message)
            if not is_live:
                finish_message(session, message)
        if is_live:
            log.warning("the workflow of contract %s is missing; it is started again", message.contract_id)

    def _retry_later(self, message: OutboxMessage, status: str) -> None:
        """Logs the first failed attempt and every tenth; counts all."""
        wait = backoff_seconds(message.attempts, RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX)
        with self._database.write() as session:
            defer_message(session, message, time.time() + wait, f"dispatch to Temporal failed: {status}")
        FAILED_ATTEMPTS.labels("outbox", status).inc()
        if message.attempts % LOGGED_EVERY == 0:
            subject = message.bill_id or message.contract_id
            log.warning("attempt %d to dispatch %s to Temporal failed: %s", message.attempts + 1, subject, status)
