"""The one clock: moves platform, store, and every live contract to the same instant, together and in order.

A forward is a target in the store, so that a restart in the middle of one goes on with it. It walks from due instant
to due instant: the platform first, its callbacks delivered and relayed, then the contracts, until all is quiet. A
contract that lags, because it was sold on a clock that runs ahead, is brought up in the same way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

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

LOOK_SECONDS = 0.1
QUIET_LOOK_SECONDS = 0.005
QUIET_WITHIN_SECONDS = 60.0
BACK_WITHIN_SECONDS = 30.0
AT_ONCE_MAX = 16
OVERDUE_SECONDS = 0.5
ONE_STEP = timedelta(seconds=1)
PAST_DUE = timedelta(seconds=5)
"""The server (1.32.0) may leave a timer unfired at whose very instant a skip ends; and if a contract comes to rest at
the very instant at which its skip should have ended, it skips on to the next timer, a month ahead. So a skip ends well
past what is due, when all of it has long been done."""
LAG_MAX = PAST_DUE
"""A contract this close to the stack's time is left alone: so short a skip could end while it works."""
SKIPS_MAX = 100_000

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Handle = WorkflowHandle[ContractWorkflow, None]


class NeverQuiet(RuntimeError):
    """Something keeps working, or does not work at all."""


class Timekeeper:
    def __init__(self, client: Client, database: Database, clock: TestClock, sandbox_url: str) -> None:
        self._client = client
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(max_session_skip_count=SKIPS_MAX))
        self._database = database
        self._clock = clock
        self._http = httpx.AsyncClient(base_url=sandbox_url, timeout=60.0)
        self._offsets: dict[str, timedelta] = {}
        """Of each live contract whose workflow was found, by its workflow id."""
        self._chains: dict[str, str] = {}
        """The chain of runs that each of them was last seen in."""
        self._overdue_since: dict[str, float] = {}
        self._away_since: float | None = None
        self._over: set[str] = set()
        """Of ended contracts, whose workflow is over for good: that of a live one may be started anew."""
        self._gate = asyncio.Semaphore(AT_ONCE_MAX)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._keep_time()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._http.aclose()

    async def _keep_time(self) -> None:
        """A part that is away is started again by the stack; a forward that it interrupts goes on then."""
        try:
            await self._bring_up(self._clock.offset())
            target = self._clock.target()
            if target is not None:
                await self._walk_to(target)
                self._clock.arrive()
            self._away_since = None
        except (RPCError, httpx.TransportError) as error:
            self._away_since = self._away_since or time.monotonic()
            if time.monotonic() - self._away_since > BACK_WITHIN_SECONDS:
                self._give_up(error)
        except (NeverQuiet, httpx.HTTPStatusError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        logger.error("the clock stopped", exc_info=error)
        self._away_since = None
        if self._clock.target() is not None:
            self._clock.arrive(last_error=str(error) or type(error).__name__)

    async def _walk_to(self, target: datetime) -> None:
        while True:
            due = await self._settled()
            if self._clock.now() >= target:
                return
            first = min([target, *due])
            # Dues a moment apart, as of several contracts' next attempts, are one step; a timer may be late.
            last = max(instant for instant in [target, *due] if instant <= first + ONE_STEP)
            await self._move_to(last + PAST_DUE)

    async def _move_to(self, instant: datetime) -> None:
        offset = instant - datetime.now(UTC)
        if offset <= self._clock.offset():
            return  # real time has got there meanwhile
        await self._ask_sandbox("POST", {"set": instant.isoformat()})
        self._clock.move(offset)
        await self._until_quiet(self._platform_work)
        await self._bring_up(offset)

    async def _settled(self) -> list[datetime]:
        """Once nothing is left to do: the instants at which something will be."""
        due: list[datetime] = []

        async def work() -> list[str]:
            due.clear()
            await self._bring_up(self._clock.offset())
            # The platform is one question, and the contracts one each: they can wait until it has nothing left.
            return await self._platform_work(due) or await self._contract_work(due)

        # Seen idle one after the other, the parts may still have had something in flight between them.
        await self._until_quiet(work)
        await self._until_quiet(work)
        return due

    async def _until_quiet(self, look: Callable[[], Awaitable[list[str]]]) -> None:
        """Raises NeverQuiet."""
        deadline = time.monotonic() + QUIET_WITHIN_SECONDS
        while working := await look():
            if time.monotonic() > deadline:
                raise NeverQuiet(f"still at work after {QUIET_WITHIN_SECONDS:.0f} s: {', '.join(working)}")
            await asyncio.sleep(QUIET_LOOK_SECONDS)

    async def _platform_work(self, due: list[datetime] | None = None) -> list[str]:
        clock = await self._ask_sandbox("GET")
        if due is not None and clock["next_due"] is not None:
            due.append(datetime.fromisoformat(clock["next_due"]))
        with self._database.read() as session:
            under_way = {
                "callbacks to be sent": clock["callbacks_due"],
                "callbacks to be recorded": callbacks_in_flight(session, time.time()),
                "contracts to be told": messages_in_flight(session, time.time()),
            }
        return [f"{count} {name}" for name, count in under_way.items() if count]

    async def _ask_sandbox(self, verb: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self._http.request(verb, "/sandbox/clock", json=body)
        answer.raise_for_status()
        return dict(answer.json())

    async def _contract_work(self, due: list[datetime]) -> list[str]:
        now = self._clock.now()
        looks = await _all(self._outlook(identity, now) for identity in list(self._offsets))
        due += [next_due for _, next_due in looks if next_due is not None]
        return [identity for identity, _ in looks if identity is not None]

    async def _outlook(self, identity: str, now: datetime) -> tuple[str | None, datetime | None]:
        """The contract's id if it works, and when it is due if it waits."""
        async with self._gate:
            handle = self._handle(identity)
            try:
                pending_work = await handle.query(ContractWorkflow.pending_work)
                if pending_work.is_working:
                    description = await handle.describe()
                    if description.status is not WorkflowExecutionStatus.RUNNING:
                        self._forget(identity)  # somebody terminated it in the middle of its work
                        return None, None
                    attempt = _next_attempt(description)
                    return (identity, None) if attempt is None else (None, attempt)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    return identity, None
                self._forget(identity)
                return None, None
        if self._chains.setdefault(identity, pending_work.first_run_id) != pending_work.first_run_id:
            self._forget(identity)  # it was started anew, on real time: it is met and brought up again
            return identity, None
        if pending_work.next_due is not None and pending_work.next_due <= now:
            await self._check_overdue(identity)
            return identity, None
        self._overdue_since.pop(identity, None)
        return None, pending_work.next_due

    async def _check_overdue(self, identity: str) -> None:
        """A skip ends early if an activity kept it waiting, and the server may miss a timer: look, and poke."""
        since = self._overdue_since.setdefault(identity, time.monotonic())
        if time.monotonic() - since > OVERDUE_SECONDS:
            self._offsets[identity] = min(await self._own_offset(identity), self._clock.offset())
            await self._handle(identity).signal(ContractWorkflow.poke)
            del self._overdue_since[identity]

    async def _own_offset(self, identity: str) -> timedelta:
        return await self._skipper.get_current_time(self._handle(identity)) - datetime.now(UTC)

    async def _bring_up(self, offset: timedelta) -> None:
        """Every live contract to the stack's time."""
        await self._find_new_contracts()
        behind = [identity for identity, own in self._offsets.items() if own < offset - LAG_MAX]
        await _all(self._skip(identity, offset) for identity in behind)

    async def _skip(self, identity: str, offset: timedelta) -> None:
        async with self._gate:
            try:
                reached = await self._skipper.fast_forward(self._handle(identity), offset - self._offsets[identity])
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    self._forget(identity)  # how far it came is not known: its clock is read again
                    raise
                reached = False
        if reached:
            self._offsets[identity] = offset
        else:
            self._forget(identity)

    async def _find_new_contracts(self) -> None:
        with self._database.read() as session:
            count = session.scalar(sa.select(sa.func.count()).select_from(ContractRow)) or 0
            if count == len(self._offsets) + len(self._over):
                return
            rows = session.execute(sa.select(ContractRow.account, ContractRow.contract_id, ContractRow.status)).all()
        statuses = {workflow_id(account, contract_id): status for account, contract_id, status in rows}
        strangers = statuses.keys() - self._offsets.keys() - self._over
        await _all(self._meet(identity, statuses[identity] == ContractStatus.ENDED) for identity in strangers)

    async def _meet(self, identity: str, has_ended: bool) -> None:
        """A live contract whose workflow is not there, or not yet, is met the next time."""
        async with self._gate:
            handle = self._handle(identity)
            try:
                description = await handle.describe()
            except RPCError:
                return
            if description.status is WorkflowExecutionStatus.RUNNING:
                self._offsets[identity] = max(await self._own_offset(identity), timedelta())
            elif has_ended:
                self._over.add(identity)

    def _forget(self, identity: str) -> None:
        for known in (self._offsets, self._chains, self._overdue_since):
            known.pop(identity, None)

    def _handle(self, identity: str) -> Handle:
        return self._client.get_workflow_handle_for(ContractWorkflow.run, identity)


async def _all(work: Iterable[Awaitable[Answer]]) -> list[Answer]:
    """All of them to their end, and only then the first error: nothing goes on unseen."""
    done = await asyncio.gather(*work, return_exceptions=True)
    answers = [one for one in done if not isinstance(one, BaseException)]
    for error in done:
        if isinstance(error, BaseException):
            raise error
    return answers


def _next_attempt(description: WorkflowExecutionDescription) -> datetime | None:
    """When the contract's activities are tried again, if all of them wait for that; else None."""
    pending = description.raw_description.pending_activities
    if not pending or any(not _waits(activity) for activity in pending):
        return None
    return min(activity.next_attempt_schedule_time.ToDatetime(tzinfo=UTC) for activity in pending)


def _waits(activity: PendingActivityInfo) -> bool:
    is_scheduled = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return is_scheduled and activity.attempt > 1 and activity.HasField("next_attempt_schedule_time")
