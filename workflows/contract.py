"""A contract's life, told once: bill what is due, tell what has changed, sleep until there is something to do.

What is true of a contract stands in `contracts.contract`; here stands only what comes next. Handlers note what came,
and `run` reacts. It rolls into a new run when quiet, so that new code is taken up and nothing is lost on the way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.access import AccessActivities
    from activities.asking import AskingActivities
    from activities.billing import BillingActivities
    from activities.orders import AskPlatform, MakeBill, TellStanding, VoidBill
    from contracts import commands, renewals
    from contracts import contract as rules
    from contracts.bill import BillRecord, bill_id
    from contracts.details import contract_details
    from contracts.marks import marks
    from contracts.periods import Period
    from contracts.state import ContractStatus, Errand, opened
    from contracts.terms import Refused
    from workflows.attributes import Updates, updates
    from workflows.messages import CancelRequest, CommandResult, ContractStart, Outlook, billing_queue

BILLS_PER_RUN = 12
ANSWERS_WITHIN = timedelta(seconds=15)
MAKING = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0, maximum_attempts=3)
WRITING = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


@workflow.defn(name="Contract")
class ContractWorkflow:
    @workflow.init
    def __init__(self, start: ContractStart) -> None:
        self.start = start
        self.state = start.state or opened(start.schedule, start.sold_at, start.standing, start.contract_id)
        self.under_way: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.woken = False
        self.broken: Exception | None = None

    @workflow.run
    async def run(self, start: ContractStart) -> None:  # noqa: ARG002 - state is restored in __init__
        while not self._is_over():
            self._make_bills_that_are_due()
            self._ask_what_must_be_known()
            self._tell_what_has_changed()
            self._mark_what_has_changed()
            if self._may_roll():
                self._roll()
            self._show()
            await self._sleep_until_due()

    # What has happened, and what an operator asks.

    @workflow.signal
    def bill_changed(self, bill: BillRecord) -> None:
        """Something happened to one of the contract's bills."""
        self.state = rules.noted(self.state, bill, self._now())
        self._show()

    @workflow.signal
    def poke(self) -> None:
        """Look again at what is due; also how new code reaches a contract that sleeps for long."""
        self.woken = True

    @workflow.update(description="End the contract at a day, its first without access.")
    def cancel(self, request: CancelRequest) -> CommandResult:
        self.state = commands.cancelled(self.state, request.at, self._now())
        return self._accepted()

    @cancel.validator
    def _may_cancel(self, request: CancelRequest) -> None:
        _ask(lambda: commands.cancelled(self.state, request.at, self._now()))

    @workflow.update(description="Take a cancellation back.")
    def revoke_cancellation(self) -> CommandResult:
        self.state = commands.revoked(self.state, self.start.contract_id, self._now())
        return self._accepted()

    @revoke_cancellation.validator
    def _may_revoke(self) -> None:
        _ask(lambda: commands.revoked(self.state, self.start.contract_id, self._now()))

    @workflow.update(description="Make a stopped bill again.")
    def retry_bill(self, identity: str) -> CommandResult:
        self.state, renewed = commands.retried(self.state, self.start.contract_id, identity, self._now())
        return self._accepted(renewed)

    @retry_bill.validator
    def _may_retry(self, identity: str) -> None:
        _ask(lambda: commands.retried(self.state, self.start.contract_id, identity, self._now()))

    @workflow.update(description="Give a parked bill up; its period is free.")
    def waive_bill(self, identity: str) -> CommandResult:
        self.state = commands.waived(self.state, identity, self._now())
        self._start(f"void {identity}", self._void(identity))
        return self._accepted(identity)

    @waive_bill.validator
    def _may_waive(self, identity: str) -> None:
        _ask(lambda: commands.waived(self.state, identity, self._now()))

    @workflow.query
    def outlook(self) -> Outlook:
        return Outlook(
            next_due=rules.next_due(self.state, self._now()),
            is_working=bool(self.under_way) or self.woken,
            chain=workflow.info().first_execution_run_id,
        )

    @workflow.query
    def open_bills(self) -> list[BillRecord]:
        return list(self.state.bills.values())

    # The steps of the story.

    def _make_bills_that_are_due(self) -> None:
        self.state = renewals.ended_unpaid(self.state, self._now())
        for period, revision in list(rules.bills_to_make(self.state, self._now())):
            self.state = rules.making(self.state, self.start.contract_id, period, revision)
            self._start(bill_id(self.start.contract_id, period.number, revision), self._make(period, revision))

    def _ask_what_must_be_known(self) -> None:
        """Before access goes off, and where a bill is no longer wanted."""
        for errand, identity in rules.errands_to_run(self.state, self._now()):
            self.state = rules.errand_begun(self.state, errand, identity)
            self._start(f"{errand} {identity}", self._ask_platform(errand, identity))

    def _tell_what_has_changed(self) -> None:
        if self._has_standing_to_tell():
            self._start("standing", self._tell())

    def _mark_what_has_changed(self) -> None:
        """In Temporal's list of contracts: one event, however many attributes."""
        workflow.upsert_search_attributes(self._marks_to_write())

    async def _sleep_until_due(self) -> None:
        """Wakes for a due instant, for one that has moved, for a command, and for a chance to end or roll."""
        due = rules.next_due(self.state, self._now())
        remaining = None if due is None else due - workflow.now()
        if remaining is not None and remaining <= timedelta():
            return
        try:
            # Without a due instant only a message can bring news: the contract waits for its open bills.
            await workflow.wait_condition(
                lambda: self._has_news(due),
                timeout=remaining,
                timeout_summary=f"until {due:%Y-%m-%d %H:%M} UTC" if due else None,
            )
        except TimeoutError:
            pass  # what is due is read from the state, never from how the wait ended
        except asyncio.CancelledError:
            workflow.logger.warning("a contract is not cancelled through Temporal; use avtal cancel")
        self.woken = False
        if self.broken is not None:
            raise RuntimeError("a step of the contract failed by our own mistake") from self.broken

    def _has_news(self, due: datetime | None) -> bool:
        return (
            self.woken
            or self.broken is not None
            or rules.next_due(self.state, self._now()) != due
            or bool(rules.errands_to_run(self.state, self._now()))
            or self._has_standing_to_tell()
            or bool(self._marks_to_write())
            or self._is_over()
            or self._may_roll()
        )

    def _has_standing_to_tell(self) -> bool:
        return renewals.standing(self.state, self._now()) != self.state.told and "standing" not in self.under_way

    def _marks_to_write(self) -> Updates:
        return updates(workflow.info().typed_search_attributes, marks(self.state, self._now()))

    def _is_over(self) -> bool:
        told = self.state.told
        return not self.under_way and self.state.is_over and told is not None and told.status is ContractStatus.ENDED

    def _may_roll(self) -> bool:
        info = workflow.info()
        wanted = (
            self.state.bills_made >= BILLS_PER_RUN
            or info.is_continue_as_new_suggested()
            or info.is_target_worker_deployment_version_changed()
        )
        return wanted and not self.under_way and workflow.all_handlers_finished()

    def _roll(self) -> None:
        workflow.continue_as_new(
            self.start.model_copy(update={"state": self.state.model_copy(update={"bills_made": 0})}),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        )

    # What is started and not waited for, so that nothing keeps the contract waiting.

    async def _make(self, period: Period, revision: int) -> None:
        identity = bill_id(self.start.contract_id, period.number, revision)
        try:
            made = await workflow.execute_activity_method(
                BillingActivities.make_bill,
                MakeBill(
                    account=self.start.account,
                    contract_id=self.start.contract_id,
                    period=period,
                    revision=revision,
                    now=self._now(),
                ),
                task_queue=billing_queue(workflow.info().task_queue),
                priority=Priority(fairness_key=self.start.account),
                start_to_close_timeout=ANSWERS_WITHIN,
                retry_policy=MAKING,
                summary=f"{period.start} to {period.last_day}",
            )
            self.state = rules.made(self.state, identity, made, self._now())
        except ActivityError:
            self.state = rules.after_failure(self.state, identity, self._now())
        self._show()

    async def _ask_platform(self, errand: Errand, identity: str) -> None:
        deed = AskingActivities.read_bill if errand is Errand.READ else AskingActivities.withdraw_bill
        try:
            bill = await workflow.execute_activity_method(
                deed,
                AskPlatform(account=self.start.account, bill_id=identity, now=self._now()),
                task_queue=billing_queue(workflow.info().task_queue),
                priority=Priority(fairness_key=self.start.account),
                start_to_close_timeout=ANSWERS_WITHIN,
                retry_policy=MAKING,
                summary=identity,
            )
            self.state = rules.errand_done(self.state, self.start.contract_id, errand, bill, self._now())
        except ActivityError:
            self.state = rules.errand_failed(self.state, errand, identity, self._now())
        self._show()

    async def _tell(self) -> None:
        news = renewals.standing(self.state, self._now())
        await workflow.execute_activity_method(
            AccessActivities.tell_standing,
            TellStanding(account=self.start.account, contract_id=self.start.contract_id, standing=news),
            start_to_close_timeout=ANSWERS_WITHIN,
            retry_policy=WRITING,
            summary=f"{news.status}, access {news.access}",
        )
        self.state = rules.told(self.state, news)
        self.woken = True

    async def _void(self, identity: str) -> None:
        await workflow.execute_activity_method(
            BillingActivities.void_bill,
            VoidBill(account=self.start.account, bill_id=identity),
            start_to_close_timeout=ANSWERS_WITHIN,
            retry_policy=WRITING,
            summary=identity,
        )

    def _start(self, name: str, work: Awaitable[None]) -> None:
        self.under_way.add(name)
        task = asyncio.create_task(self._carry_out(name, work))
        self.tasks.add(task)  # the loop keeps only weak references
        task.add_done_callback(self.tasks.discard)

    async def _carry_out(self, name: str, work: Awaitable[None]) -> None:
        """A mistake of ours must stop the workflow, where it is seen and retried, and not vanish with its task."""
        try:
            await work
        except Exception as error:
            self.broken = error
        finally:
            self.under_way.discard(name)

    def _show(self) -> None:
        """In the Temporal UI; costs no event."""
        workflow.set_current_details(contract_details(self.state, self._now()))

    def _now(self) -> datetime:
        """A contract sold on a test clock that runs ahead lives from its sale on, until its own clock is there."""
        return max(workflow.now(), self.state.sold_at)

    def _accepted(self, identity: str | None = None) -> CommandResult:
        self.woken = True
        return CommandResult(counter=renewals.standing(self.state, self._now()).counter, bill_id=identity)


def _ask(command: Callable[[], object]) -> None:
    """Try a command against the rules; a validator's refusal leaves no trace in the history."""
    try:
        command()
    except Refused as refusal:
        raise ApplicationError(str(refusal), type="Refused", non_retryable=True) from refusal
