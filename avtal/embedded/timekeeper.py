"""Moves Billogram's sandbox, the store, and every live contract to the same instant, in this order.

The target of a forward is stored, so a restart continues it. A forward goes from one due instant to the next: first the
sandbox, whose callbacks are delivered and relayed, then the contracts, until nothing is left to do. A contract whose
clock lags, because it was sold after a forward, is moved in the same way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import httpx
import sqlalchemy as sa
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from avtal.contracts.lifecycle.state import ContractStatus
from avtal.store.engine.clock import TestClock
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import callbacks_in_flight
from avtal.store.queues.outbox import messages_in_flight
from avtal.store.tables import ContractRow
from workflows.contract import ContractWorkflow
from workflows.messages import workflow_id

POLL_SECONDS = 0.1
IDLE_POLL_SECONDS = 0.005
IDLE_TIMEOUT_SECONDS = 60.0
RECONNECT_TIMEOUT_SECONDS = 30.0
CONCURRENCY_MAX = 16
OVERDUE_SECONDS = 0.5
STEP = timedelta(seconds=1)
"""Instants within a step are one step."""
SKIP_MARGIN = timedelta(seconds=5)
"""The server (1.32.0) may not fire a timer at the very instant at which a skip ends, and a contract that becomes idle
at that instant skips on to its next timer, a month ahead. So a skip ends this much later."""
LAG_MAX = SKIP_MARGIN
"""A contract this close to the stack's time is not moved: so short a skip could end while the contract works."""
SKIPS_MAX = 100_000

logger = logging.getLogger(__name__)

T = TypeVar("T")
Handle = WorkflowHandle[ContractWorkflow, None]


class NotIdle(RuntimeError):
    """Some work does not end."""


class Outlook(NamedTuple):
    """What a contract does: works (its id), waits (until when), or neither."""

    working: str | None = None
    next_due: datetime | None = None


class Timekeeper:
    def __init__(self, client: Client, database: Database, clock: TestClock, sandbox_url: str) -> None:
        self._client = client
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(max_session_skip_count=SKIPS_MAX))
        self._database = database
        self._clock = clock
        self._http = httpx.AsyncClient(base_url=sandbox_url, timeout=60.0)
        self._offsets: dict[str, timedelta] = {}
        """The clock offset of each live contract, by workflow id."""
        self._first_run_ids: dict[str, str] = {}
        """The first run id of each live contract's chain of runs."""
        self._overdue_since: dict[str, float] = {}
        self._unreachable_since: float | None = None
        self._completed: set[str] = set()
        """Workflow ids of ended contracts; the workflow of a live contract can be started again."""
        self._limit = asyncio.Semaphore(CONCURRENCY_MAX)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._synchronize()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await self._http.aclose()

    async def _synchronize(self) -> None:
        """The stack restarts a part that is unreachable; then an interrupted forward continues."""
        try:
            await self._move_contracts(self._clock.offset())
            target = self._clock.target()
            if target is not None:
                await self._forward(target)
                self._clock.clear_target()
            self._unreachable_since = None
        except (RPCError, httpx.TransportError) as error:
            self._unreachable_since = self._unreachable_since or time.monotonic()
            if time.monotonic() - self._unreachable_since > RECONNECT_TIMEOUT_SECONDS:
                self._stop_forward(error)
        except (NotIdle, httpx.HTTPStatusError) as error:
            self._stop_forward(error)

    def _stop_forward(self, error: Exception) -> None:
        logger.error("the clock stopped", exc_info=error)
        self._unreachable_since = None
        if self._clock.target() is not None:
            self._clock.clear_target(last_error=str(error) or type(error).__name__)

    async def _forward(self, target: datetime) -> None:
        while True:
            due = await self._due_instants()
            if self._clock.now() >= target:
                return
            first = min([target, *due])
            # Instants within a step, as of several contracts' next attempts, are one step: a timer may be late.
            last = max(instant for instant in [target, *due] if instant <= first + STEP)
            await self._move_to(last + SKIP_MARGIN)

    async def _move_to(self, instant: datetime) -> None:
        offset = instant - datetime.now(UTC)
        if offset <= self._clock.offset():
            return  # real time has reached it
        await self._sandbox_clock("POST", {"set": instant.isoformat()})
        self._clock.set_offset(offset)
        await self._wait_until_idle(self._platform_work)
        await self._move_contracts(offset)

    async def _due_instants(self) -> list[datetime]:
        """Waits until all parts are idle. Returns when each has its next work."""
        due: list[datetime] = []

        async def work() -> list[str]:
            due.clear()
            await self._move_contracts(self._clock.offset())
            # The platform costs one request and the contracts one each, so the platform is read first.
            return await self._platform_work(due) or await self._contract_work(due)

        # Parts that were seen idle one after the other can still have had work in flight between them.
        await self._wait_until_idle(work)
        await self._wait_until_idle(work)
        return due

    async def _wait_until_idle(self, read_work: Callable[[], Awaitable[list[str]]]) -> None:
        """Raises NotIdle."""
        deadline = time.monotonic() + IDLE_TIMEOUT_SECONDS
        while work := await read_work():
            if time.monotonic() > deadline:
                raise NotIdle(f"not idle after {IDLE_TIMEOUT_SECONDS:.0f} s: {', '.join(work)}")
            await asyncio.sleep(IDLE_POLL_SECONDS)

    async def _platform_work(self, due: list[datetime] | None = None) -> list[str]:
        clock = await self._sandbox_clock("GET")
        if due is not None and clock["next_due"] is not None:
            due.append(datetime.fromisoformat(clock["next_due"]))
        with self._database.read() as session:
            counts = {
                "callbacks to send": clock["callbacks_due"],
                "callbacks to record": callbacks_in_flight(session, time.time()),
                "messages to dispatch": messages_in_flight(session, time.time()),
            }
        return [f"{count} {name}" for name, count in counts.items() if count]

    async def _sandbox_clock(self, verb: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        response = await self._http.request(verb, "/sandbox/clock", json=body)
        response.raise_for_status()
        return dict(response.json())

    async def _contract_work(self, due: list[datetime]) -> list[str]:
        now = self._clock.now()
        outlooks = await _all(self._outlook(identity, now) for identity in list(self._offsets))
        due += [outlook.next_due for outlook in outlooks if outlook.next_due is not None]
        return [outlook.working for outlook in outlooks if outlook.working is not None]

    async def _outlook(self, identity: str, now: datetime) -> Outlook:
        async with self._limit:
            handle = self._handle(identity)
            try:
                pending_work = await handle.query(ContractWorkflow.pending_work)
                if pending_work.is_working:
                    return self._outlook_at_work(identity, await handle.describe())
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    return Outlook(working=identity)
                self._forget(identity)
                return Outlook()
        if self._first_run_ids.setdefault(identity, pending_work.first_run_id) != pending_work.first_run_id:
            self._forget(identity)  # started again, on real time: it is found and moved again
            return Outlook(working=identity)
        if pending_work.next_due is not None and pending_work.next_due <= now:
            await self._check_overdue(identity)
            return Outlook(working=identity)
        self._overdue_since.pop(identity, None)
        return Outlook(next_due=pending_work.next_due)

    def _outlook_at_work(self, identity: str, description: WorkflowExecutionDescription) -> Outlook:
        if description.status is not WorkflowExecutionStatus.RUNNING:
            self._forget(identity)  # terminated while it worked
            return Outlook()
        attempt = _next_attempt(description)
        return Outlook(working=identity) if attempt is None else Outlook(next_due=attempt)

    async def _check_overdue(self, identity: str) -> None:
        """A skip ends early if an activity delayed it, and the server can miss a timer: read the offset, and poke."""
        since = self._overdue_since.setdefault(identity, time.monotonic())
        if time.monotonic() - since > OVERDUE_SECONDS:
            self._offsets[identity] = min(await self._read_offset(identity), self._clock.offset())
            await self._handle(identity).signal(ContractWorkflow.poke)
            del self._overdue_since[identity]

    async def _read_offset(self, identity: str) -> timedelta:
        return await self._skipper.get_current_time(self._handle(identity)) - datetime.now(UTC)

    async def _move_contracts(self, offset: timedelta) -> None:
        await self._find_new_contracts()
        behind = [identity for identity, own in self._offsets.items() if own < offset - LAG_MAX]
        await _all(self._skip(identity, offset) for identity in behind)

    async def _skip(self, identity: str, offset: timedelta) -> None:
        async with self._limit:
            try:
                reached = await self._skipper.fast_forward(self._handle(identity), offset - self._offsets[identity])
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    self._forget(identity)  # its clock is unknown now, and is read again
                    raise
                reached = False
        if reached:
            self._offsets[identity] = offset
        else:
            self._forget(identity)

    async def _find_new_contracts(self) -> None:
        with self._database.read() as session:
            count = session.scalar(sa.select(sa.func.count()).select_from(ContractRow)) or 0
            if count == len(self._offsets) + len(self._completed):
                return
            rows = session.execute(sa.select(ContractRow.account, ContractRow.contract_id, ContractRow.status)).all()
        statuses = {workflow_id(account, contract_id): status for account, contract_id, status in rows}
        unknown = statuses.keys() - self._offsets.keys() - self._completed
        await _all(self._add_contract(identity, statuses[identity] == ContractStatus.ENDED) for identity in unknown)

    async def _add_contract(self, identity: str, has_ended: bool) -> None:
        """A live contract without a running workflow is added in a later round."""
        async with self._limit:
            handle = self._handle(identity)
            try:
                description = await handle.describe()
            except RPCError:
                return
            if description.status is WorkflowExecutionStatus.RUNNING:
                self._offsets[identity] = max(await self._read_offset(identity), timedelta())
            elif has_ended:
                self._completed.add(identity)

    def _forget(self, identity: str) -> None:
        for by_contract in (self._offsets, self._first_run_ids, self._overdue_since):
            by_contract.pop(identity, None)

    def _handle(self, identity: str) -> Handle:
        return self._client.get_workflow_handle_for(ContractWorkflow.run, identity)


async def _all(work: Iterable[Awaitable[T]]) -> list[T]:
    """Waits for all of them, and only then raises the first error."""
    done = await asyncio.gather(*work, return_exceptions=True)
    results = [one for one in done if not isinstance(one, BaseException)]
    for error in done:
        if isinstance(error, BaseException):
            raise error
    return results


def _next_attempt(description: WorkflowExecutionDescription) -> datetime | None:
    """When the contract's activities are retried, if all of them wait for a retry; else None."""
    pending = description.raw_description.pending_activities
    if not pending or any(not _waits_for_retry(activity) for activity in pending):
        return None
    return min(activity.next_attempt_schedule_time.ToDatetime(tzinfo=UTC) for activity in pending)


def _waits_for_retry(activity: PendingActivityInfo) -> bool:
    is_scheduled = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return is_scheduled and activity.attempt > 1 and activity.HasField("next_attempt_schedule_time")
