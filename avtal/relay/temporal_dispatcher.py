"""The second half of the relay: the outbox reaches Temporal. A start, then signals, in order per contract.

NOT_FOUND is final only for a contract that the store knows to have ended. A live one whose workflow is gone is started
anew from its row, and finds the bills that it has.
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
from avtal.relay.relay import FAILED
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract, snapshot_of_row
from avtal.store.queues.outbox import OutboxMessage, defer_message, requeue_start, told
from avtal.tracing import span
from workflows.contract import ContractWorkflow
from workflows.messages import ContractStart, workflow_id
from workflows.search_attributes import search_attributes_at_start

TRY_AGAIN_SECONDS_MAX = 5.0
RPC_TIMEOUT = timedelta(seconds=5)

log = logging.getLogger(__name__)


class TemporalDispatcher:
    def __init__(self, client: Client, database: Database, task_queue: str) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue

    async def tell(self, telling: OutboxMessage) -> bool:
        """Whether Temporal has been told; else the row knows what is next."""
        with span("tell Temporal", telling.traceparent):
            try:
                await (self._start(telling) if telling.bill_id is None else self._signal(telling))
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    await asyncio.to_thread(self._gone, telling)
                else:
                    await asyncio.to_thread(self._later, telling, error.status.name)
            except RuntimeError:
                # What the SDK raises when it can't connect at all.
                await asyncio.to_thread(self._later, telling, "NOT_CONNECTED")
            else:
                return True
            return False

    async def _start(self, telling: OutboxMessage) -> None:
        start = await asyncio.to_thread(self._contract_start, telling)
        try:
            await self._client.start_workflow(
                ContractWorkflow.run,
                start,
                id=workflow_id(telling.account, telling.contract_id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                rpc_timeout=RPC_TIMEOUT,
                priority=Priority(fairness_key=telling.account),
                search_attributes=search_attributes_at_start(start),
                static_summary=f"Contract {telling.contract_id} of {telling.account}",
                static_details=schedule_text(start.schedule),
            )
        except WorkflowAlreadyStartedError:
            return  # it has run to its end
        log.info("contract %s started", telling.contract_id)

    async def _signal(self, telling: OutboxMessage) -> None:
        handle: WorkflowHandle[ContractWorkflow, None] = self._client.get_workflow_handle_for(
            ContractWorkflow.run, workflow_id(telling.account, telling.contract_id)
        )
        if telling.news is not None:
            await handle.signal(ContractWorkflow.bill_changed, telling.news, rpc_timeout=RPC_TIMEOUT)

    def _contract_start(self, telling: OutboxMessage) -> ContractStart:
        with self._database.read() as session:
            stored = contract(session, telling.account, telling.contract_id)
        assert stored is not None, "a start is queued with its contract"
        return ContractStart(
            account=stored.account,
            contract_id=stored.contract_id,
            schedule=stored.schedule,
            sold_at=stored.sold_at,
            snapshot=snapshot_of_row(stored),
        )

    def _gone(self, telling: OutboxMessage) -> None:
        with self._database.write() as session:
            is_live = requeue_start(session, telling)
            if not is_live:
                told(session, telling)
        if is_live:
            log.warning("the workflow of contract %s is not there; it is started anew", telling.contract_id)

    def _later(self, telling: OutboxMessage, status: str) -> None:
        """Of many tries in vain, the first and every tenth are logged; all are counted."""
        wait = min(0.1 * 2.0 ** min(telling.attempts, 20), TRY_AGAIN_SECONDS_MAX)
        with self._database.write() as session:
            defer_message(session, telling, time.time() + wait, f"Temporal answers {status}")
        FAILED.labels("outbox", status).inc()
        if telling.attempts % 10 == 0:
            what = telling.bill_id or telling.contract_id
            log.warning("Temporal can't be told of %s yet: %s, try %d", what, status, telling.attempts + 1)
