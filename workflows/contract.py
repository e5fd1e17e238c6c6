"""The contract's workflow: makes due bills, verifies or withdraws invoices, writes the contract's row, and sleeps.

The rules are in `avtal.contracts.lifecycle`; only the order of steps is here. Handlers change the state, `run` reacts.
It continues as new when quiet, so that new code is picked up and no message is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.billing import BillingActivities
    from activities.contracts import ContractActivities
    from activities.inputs import MakeBillInput, PlatformTaskInput, VoidBillInput, WriteContractInput
    from activities.platform_bills import PlatformBillActivities
    from avtal.contracts.bills.bill import BillSnapshot, bill_id
    from avtal.contracts.lifecycle import commands, contract_snapshot, renewals, transitions
    from avtal.contracts.lifecycle.search_attributes import search_attribute_values
    from avtal.contracts.lifecycle.state import ContractStatus, PlatformTask, initial_state
    from avtal.contracts.lifecycle.ui_details import contract_details
    from avtal.contracts.periods import Period
    from avtal.contracts.schedule import CommandRefused
    from workflows.activity_calls import at_platform, in_store
    from workflows.messages import CancelRequest, CommandResult, ContractStart, PendingWork
    from workflows.search_attributes import SearchAttributeUpdates, search_attribute_updates

BILLS_PER_RUN = 12


class Step(NamedTuple):
    """Work in flight: what is done, and to which bill, if it is about one."""

    name: str
    bill_id: str | None = None


WRITE_CONTRACT = Step("write contract")


@workflow.defn(name="Contract")
class ContractWorkflow:
    @workflow.init
    def __init__(self, start: ContractStart) -> None:
        self.start = start
        self.state = start.state or initial_state(start.schedule, start.sold_at, start.snapshot, start.contract_id)
        self.in_flight: set[Step] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.is_woken = False
        self.failure: Exception | None = None

    @workflow.run
    async def run(self, start: ContractStart) -> None:  # noqa: ARG002 - the state is restored in __init__
        while not self._has_ended():
            self._make_due_bills()
            self._verify_or_withdraw_at_billogram()
            self._write_contract_row()
            self._update_search_attributes()
            if self._may_continue_as_new():
                self._continue_as_new()
            self._update_ui_details()
            await self._sleep_until_due()

    # Messages.

    @workflow.signal
    def bill_changed(self, bill: BillSnapshot) -> None:
        """A bill of this contract has a newer version in the store."""
        self.state = transitions.bill_changed(self.state, bill, self._now())
        self._update_ui_details()

    @workflow.signal
    def poke(self) -> None:
        """Check what is due. Also brings new code to a contract that sleeps for long."""
        self.is_woken = True

    @workflow.update(description="End the contract at a day, its first without access.")
    def cancel(self, request: CancelRequest) -> CommandResult:
        self.state = commands.cancel(self.state, self.start.contract_id, request.at, self._now())
        return self._accepted()

    @cancel.validator
    def _validate_cancel(self, request: CancelRequest) -> None:
        _validate(lambda: commands.cancel(self.state, self.start.contract_id, request.at, self._now()))

    @workflow.update(description="Revoke a cancellation.")
    def revoke_cancellation(self) -> CommandResult:
        self.state = commands.revoke_cancellation(self.state, self.start.contract_id, self._now())
        return self._accepted()

    @revoke_cancellation.validator
    def _validate_revoke_cancellation(self) -> None:
        _validate(lambda: commands.revoke_cancellation(self.state, self.start.contract_id, self._now()))

    @workflow.update(description="Make a parked or failing bill again.")
    def retry_bill(self, identity: str) -> CommandResult:
        self.state, made = commands.retry_bill(self.state, self.start.contract_id, identity, self._now())
        return self._accepted(made)

    @retry_bill.validator
    def _validate_retry_bill(self, identity: str) -> None:
        _validate(lambda: commands.retry_bill(self.state, self.start.contract_id, identity, self._now()))

    @workflow.update(description="Give a parked bill up; its period is free.")
    def waive_bill(self, identity: str) -> CommandResult:
        self.state = commands.waive_bill(self.state, identity, self._now())
        self._start(Step("void bill", identity), self._void_bill(identity))
        return self._accepted(identity)

    @waive_bill.validator
    def _validate_waive_bill(self, identity: str) -> None:
        _validate(lambda: commands.waive_bill(self.state, identity, self._now()))

    @workflow.query
    def pending_work(self) -> PendingWork:
        return PendingWork(
            next_due=transitions.next_due(self.state, self._now()),
            is_working=bool(self.in_flight) or self.is_woken,
            first_run_id=workflow.info().first_execution_run_id,
        )

    @workflow.query
    def open_bills(self) -> list[BillSnapshot]:
        return list(self.state.bills.values())

    # The steps of `run`.

    def _make_due_bills(self) -> None:
        self.state = renewals.apply_ending(renewals.end_if_unpaid(self.state, self._now()), self._now())
        for period, revision in list(transitions.bills_due(self.state, self._now())):
            self.state = transitions.bill_requested(self.state, self.start.contract_id, period, revision)
            identity = bill_id(self.start.contract_id, period.number, revision)
            self._start(Step("make bill", identity), self._make_bill(identity, period, revision))

    def _verify_or_withdraw_at_billogram(self) -> None:
        """Verifies a bill before access goes off for it; deletes or credits one whose period was cancelled."""
        for task, identity in transitions.platform_tasks_due(self.state, self._now()):
            self.state = transitions.task_started(self.state, task, identity)
            work = self._verify_bill if task is PlatformTask.VERIFY else self._withdraw_bill
            self._start(Step(task, identity), work(identity))

    def _write_contract_row(self) -> None:
        if self._is_row_outdated():
            self._start(WRITE_CONTRACT, self._write_contract())

    def _update_search_attributes(self) -> None:
        """One event, however many attributes; none if nothing differs."""
        workflow.upsert_search_attributes(self._search_attribute_updates())

    async def _sleep_until_due(self) -> None:
        """Wakes for a due instant, for one that has moved, for a command, and when it may end or continue as new."""
        due = transitions.next_due(self.state, self._now())
        remaining = None if due is None else due - workflow.now()
        if remaining is not None and remaining <= timedelta():
            return
        try:
            # Without a due instant only a message can change something: the contract waits for its open bills.
            await workflow.wait_condition(
                lambda: self._has_work(due),
                timeout=remaining,
                timeout_summary=f"until {due:%Y-%m-%d %H:%M} UTC" if due else None,
            )
        except TimeoutError:
            pass  # what is due follows from the state, never from how the wait ended
        except asyncio.CancelledError:
            workflow.logger.warning("a contract is not cancelled through Temporal; use avtal cancel")
        self.is_woken = False
        if self.failure is not None:
            raise RuntimeError("a step of the contract raised an unexpected exception") from self.failure

    def _has_work(self, due: datetime | None) -> bool:
        return (
            self.is_woken
            or self.failure is not None
            or transitions.next_due(self.state, self._now()) != due
            or bool(transitions.platform_tasks_due(self.state, self._now()))
            or self._is_row_outdated()
            or bool(self._search_attribute_updates())
            or self._has_ended()
            or self._may_continue_as_new()
        )

    def _is_row_outdated(self) -> bool:
        return (
            contract_snapshot.snapshot(self.state, self._now()) != self.state.written
            and WRITE_CONTRACT not in self.in_flight
        )

    def _search_attribute_updates(self) -> SearchAttributeUpdates:
        wanted = search_attribute_values(self.state, self._now())
        return search_attribute_updates(workflow.info().typed_search_attributes, wanted)

    def _has_ended(self) -> bool:
        """Nothing is in flight, no bill can change any more, and the row says that the contract has ended."""
        written = self.state.written
        is_written = written is not None and written.status is ContractStatus.ENDED
        return is_written and not self.in_flight and not self.state.has_live_bills

    def _may_continue_as_new(self) -> bool:
        info = workflow.info()
        is_wanted = (
            self.state.bills_made >= BILLS_PER_RUN
            or info.is_continue_as_new_suggested()
            or info.is_target_worker_deployment_version_changed()
        )
        return is_wanted and not self.in_flight and workflow.all_handlers_finished()

    def _continue_as_new(self) -> None:
        workflow.continue_as_new(
            self.start.model_copy(update={"state": self.state.model_copy(update={"bills_made": 0})}),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        )

    # Activities. They are started, not awaited, so that nothing keeps the contract waiting.

    async def _make_bill(self, identity: str, period: Period, revision: int) -> None:
        request = MakeBillInput(
            account=self.start.account,
            contract_id=self.start.contract_id,
            period=period,
            revision=revision,
            now=self._now(),
        )
        try:
            bill = await at_platform(
                self.start.account, BillingActivities.make_bill, request, f"{period.start} to {period.last_day}"
            )
            self.state = transitions.bill_made(self.state, identity, bill, self._now())
        except ActivityError:
            self.state = transitions.bill_failed(self.state, identity, self._now())
        self._update_ui_details()

    async def _verify_bill(self, identity: str) -> None:
        request = PlatformTaskInput(account=self.start.account, bill_id=identity, now=self._now())
        try:
            bill = await at_platform(self.start.account, PlatformBillActivities.verify_bill, request, identity)
            self.state = transitions.bill_verified(self.state, bill, self._now())
        except ActivityError:
            self.state = transitions.task_failed(self.state, PlatformTask.VERIFY, identity, self._now())
        self._update_ui_details()

    async def _withdraw_bill(self, identity: str) -> None:
        request = PlatformTaskInput(account=self.start.account, bill_id=identity, now=self._now())
        try:
            bill = await at_platform(self.start.account, PlatformBillActivities.withdraw_bill, request, identity)
            self.state = transitions.bill_withdrawn(self.state, self.start.contract_id, bill, self._now())
        except ActivityError:
            self.state = transitions.task_failed(self.state, PlatformTask.WITHDRAW, identity, self._now())
        self._update_ui_details()

    async def _write_contract(self) -> None:
        snapshot = contract_snapshot.snapshot(self.state, self._now())
        request = WriteContractInput(account=self.start.account, contract_id=self.start.contract_id, snapshot=snapshot)
        await in_store(ContractActivities.write_contract, request, f"{snapshot.status}, access {snapshot.access}")
        self.state = transitions.snapshot_written(self.state, snapshot)
        self.is_woken = True

    async def _void_bill(self, identity: str) -> None:
        request = VoidBillInput(account=self.start.account, bill_id=identity)
        await in_store(BillingActivities.void_bill, request, identity)

    def _start(self, step: Step, work: Awaitable[None]) -> None:
        self.in_flight.add(step)
        task = asyncio.create_task(self._run_step(step, work))
        self.tasks.add(task)  # the event loop keeps only weak references
        task.add_done_callback(self.tasks.discard)

    async def _run_step(self, step: Step, work: Awaitable[None]) -> None:
        """An unexpected exception must fail the workflow task, where it is visible and retried, not vanish here."""
        try:
            await work
        except Exception as error:
            self.failure = error
        finally:
            self.in_flight.discard(step)

    def _update_ui_details(self) -> None:
        """For the Temporal UI. Costs no event."""
        workflow.set_current_details(contract_details(self.state, self._now()))

    def _now(self) -> datetime:
        """A contract sold on a test clock that runs ahead begins at its sale, until its own clock gets there."""
        return max(workflow.now(), self.state.sold_at)

    def _accepted(self, identity: str | None = None) -> CommandResult:
        """The workflow then checks what is due, even if the row stays the same."""
        self.is_woken = True
        return CommandResult(counter=contract_snapshot.snapshot(self.state, self._now()).counter, bill_id=identity)


def _validate(command: Callable[[], object]) -> None:
    """An update's validator rejects with the reason; nothing is written to the history."""
    try:
        command()
    except CommandRefused as refused:
        raise ApplicationError(str(refused), type="CommandRefused", non_retryable=True) from refused
