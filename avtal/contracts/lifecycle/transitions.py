"""Transitions of a contract's state without a command: bills are requested and made, their snapshots arrive, tasks at
the platform start and end.

Commands of operators are in `commands`, which periods are billed in `renewals`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from avtal.contracts.access.access import block_of
from avtal.contracts.bills.bill import LIVE, NOT_MADE, BillSnapshot, BillStatus, bill_id
from avtal.contracts.lifecycle.renewals import apply_ending, renewal_at, renewals_due, with_access_restored
from avtal.contracts.lifecycle.state import (
    REMEMBERED_BILLS_MAX,
    ContractSnapshot,
    ContractState,
    PlatformTask,
    RenewalTerms,
    Retry,
    access_of,
    known_blocks,
    unverified_blocks,
)
from avtal.contracts.periods import Period

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
RETRY_THEN = timedelta(hours=6)


def bills_due(state: ContractState, now: datetime) -> Iterator[tuple[Period, int]]:
    """Each period, with its revision, whose bill is due to be made, or made again, by `now`."""
    for identity, retry in state.retries.items():
        if retry.at is not None and retry.at <= now:
            bill = state.bills[identity]
            yield state.schedule.period(bill.period), bill.revision
    for period in renewals_due(state, now):
        yield period, 0


def bill_requested(state: ContractState, contract_id: str, period: Period, revision: int) -> ContractState:
    """The state once the creation of this bill is in flight."""
    identity = bill_id(contract_id, period.number, revision)
    bill = state.bills.get(identity) or BillSnapshot(bill_id=identity, period=period.number, revision=revision)
    retry = state.retries.get(identity, Retry(at=None)).model_copy(update={"at": None})
    is_new = period.number >= state.next_period
    return state.model_copy(
        update={
            "bills": {**state.bills, identity: bill},
            "retries": {**state.retries, identity: retry},
            "next_period": max(state.next_period, period.number + 1),
            "bills_made": state.bills_made + is_new,
        }
    )


def bill_made(state: ContractState, identity: str, bill: BillSnapshot, now: datetime) -> ContractState:
    """The creation of `identity` returned `bill`: that bill, or the later revision that its period already has."""
    bills = {known: other for known, other in state.bills.items() if known == bill.bill_id or known != identity}
    retries = {known: retry for known, retry in state.retries.items() if known != identity}
    return bill_changed(state.model_copy(update={"bills": bills, "retries": retries}), bill, now)


def bill_failed(state: ContractState, identity: str, now: datetime) -> ContractState:
    """The platform failed: the bill is tried again after 1, 5, 15, 60 minutes, then every 6 hours.

    A bill that was made meanwhile, or waived, is not tried again.
    """
    bill = state.bills.get(identity)
    if bill is None or bill.status not in NOT_MADE:
        return state
    retry = _next_retry(state.retries.get(identity), now)
    return state.model_copy(update={"retries": {**state.retries, identity: retry}})


def bill_changed(state: ContractState, bill: BillSnapshot, now: datetime) -> ContractState:
    """The state with a bill's snapshot, from an activity or a signal, in any order and any number of times."""
    known = state.bills.get(bill.bill_id)
    seen = known.version if known else state.dropped.get(bill.bill_id, -1)
    if bill.version <= seen:
        return state
    state = apply_ending(state, now)
    bills = {identity: other for identity, other in state.bills.items() if identity != bill.bill_id}
    dropped = {identity: version for identity, version in state.dropped.items() if identity != bill.bill_id}
    if bill.status in LIVE or bill.status is BillStatus.EXPIRED:
        bills[bill.bill_id] = bill
    else:
        dropped[bill.bill_id] = bill.version
    retries = dict(state.retries)
    if bill.status is not BillStatus.CREATING:
        retries.pop(bill.bill_id, None)
    after = state.model_copy(
        update={
            "bills": bills,
            "dropped": dict(list(dropped.items())[-REMEMBERED_BILLS_MAX:]),
            "retries": retries,
            "known_at": _known_at(state, bill, now),
            "confirmed_cutoffs": {
                identity: at for identity, at in state.confirmed_cutoffs.items() if identity in bills
            },
            "platform_tasks": {
                task: {identity: retry for identity, retry in of_task.items() if identity in bills}
                for task, of_task in state.platform_tasks.items()
            },
            "renewal_terms": _renewal_terms(state.renewal_terms, bill),
        }
    )
    return with_access_restored(state, after, now)


def snapshot_written(state: ContractState, written: ContractSnapshot) -> ContractState:
    return state.model_copy(update={"written": written, "counter": written.counter})


def platform_tasks_due(state: ContractState, now: datetime) -> list[tuple[PlatformTask, str]]:
    """The tasks to start now, each with its bill; those in flight or waiting for a retry are left out."""
    return [(task, identity) for task, identity in _platform_tasks(state, now) if _is_due(state, task, identity, now)]


def task_started(state: ContractState, task: PlatformTask, identity: str) -> ContractState:
    retry = _task_retry(state, task, identity) or Retry(at=None)
    return _with_task(state, task, identity, retry.model_copy(update={"at": None}))


def task_failed(state: ContractState, task: PlatformTask, identity: str, now: datetime) -> ContractState:
    """The platform did not respond: access stays as it is, and the task is retried later."""
    if identity not in state.bills:
        return state
    return _with_task(state, task, identity, _next_retry(_task_retry(state, task, identity), now))


def bill_verified(state: ContractState, bill: BillSnapshot, now: datetime) -> ContractState:
    """The invoice was read once more. If it is still unpaid past its grace, access goes off now."""
    retry = _task_retry(state, PlatformTask.VERIFY, bill.bill_id)
    known = _without_task(bill_changed(state, bill, now), PlatformTask.VERIFY, bill.bill_id)
    block = next((block for block in known_blocks(known) if block.bill_id == bill.bill_id), None)
    if block is None or block.at > now:
        return known
    at = now if retry is not None and retry.failures > 0 else block.at  # access stayed on while the platform failed
    known_at = {**known.known_at, bill.bill_id: at} if at > block.at else known.known_at
    confirmed_cutoffs = {**known.confirmed_cutoffs, bill.bill_id: at}
    return known.model_copy(update={"known_at": known_at, "confirmed_cutoffs": confirmed_cutoffs})


def bill_withdrawn(state: ContractState, contract_id: str, bill: BillSnapshot, now: datetime) -> ContractState:
    """The bill is void, or money has arrived, and it is left to people. If the contract's end was revoked meanwhile,
    the period gets its next revision."""
    known = _without_task(bill_changed(state, bill, now), PlatformTask.WITHDRAW, bill.bill_id)
    if bill.status is not BillStatus.VOID:
        not_withdrawn = (*known.not_withdrawn, bill.bill_id)[-REMEMBERED_BILLS_MAX:]
        return known.model_copy(update={"not_withdrawn": not_withdrawn})
    known = known.model_copy(update={"withdrawn": {**known.withdrawn, bill.period: bill.revision}})
    return with_withdrawn_requested_again(known, contract_id, now)


def with_withdrawn_requested_again(state: ContractState, contract_id: str, now: datetime) -> ContractState:
    """Periods that are wanted again after their bill was withdrawn get its next revision (EDGE-22)."""
    bills, retries = dict(state.bills), dict(state.retries)
    wanted = [number for number in state.withdrawn if _is_wanted(state, number)]
    for number in wanted:
        revision = state.withdrawn[number] + 1
        identity = bill_id(contract_id, number, revision)
        bills[identity] = BillSnapshot(bill_id=identity, period=number, revision=revision)
        retries[identity] = Retry(at=now)
    withdrawn = {number: revision for number, revision in state.withdrawn.items() if number not in wanted}
    return state.model_copy(update={"bills": bills, "retries": retries, "withdrawn": withdrawn})


def next_due(state: ContractState, now: datetime) -> datetime | None:
    """The next instant at which the contract has something to do without a message, or None."""
    tasks = (_task_retry(state, task, identity) for task, identity in _platform_tasks(state, now))
    waiting = (*state.retries.values(), *(retry for retry in tasks if retry))
    instants = [retry.at for retry in waiting if retry.at is not None]
    if (renewal := renewal_at(state, now)) is not None:
        instants.append(renewal)
    if (change := access_of(state, now).next_change) is not None:
        instants.append(change.at)
    if state.ending is not None and now < state.ending.at:
        instants.append(state.ending.at)  # also where access never went on
    if state.ending is None or now < state.ending.at:
        instants += _coming_cutoffs(state, now)
        if now < (begins := state.schedule.renewal_instant(0)):
            instants.append(begins)  # also where a bill keeps access off from the start
    return min(instants, default=None)


def _known_at(state: ContractState, bill: BillSnapshot, now: datetime) -> dict[str, datetime]:
    """With the instant at which this bill's block became known, if its cutoff had passed by then."""
    others = {identity: at for identity, at in state.known_at.items() if identity != bill.bill_id}
    before = state.bills.get(bill.bill_id)
    block, block_before = block_of(bill, state.schedule.zone), before and block_of(before, state.schedule.zone)
    if block is None or block.at >= now:
        return others
    return state.known_at if block == block_before else {**others, bill.bill_id: now}


def _renewal_terms(known: RenewalTerms, bill: BillSnapshot) -> RenewalTerms:
    """The newest bill's policy decides about the coming renewals."""
    if bill.policy_version == 0 or (bill.period, bill.policy_version) < (known.period, known.policy_version):
        return known
    return RenewalTerms(
        period=bill.period,
        policy_version=bill.policy_version,
        lead_days=bill.lead_days,
        work_window_minutes=bill.work_window_minutes,
        start_slot_seconds=bill.start_slot_seconds,
        while_off=bill.renewal_while_off,
        max_open_bills=bill.max_open_bills,
    )


def _platform_tasks(state: ContractState, now: datetime) -> list[tuple[PlatformTask, str]]:
    verify = [(PlatformTask.VERIFY, identity) for identity in unverified_blocks(state, now)]
    return verify + [(PlatformTask.WITHDRAW, identity) for identity in _to_withdraw(state)]


def _to_withdraw(state: ContractState) -> list[str]:
    """Bills at the platform whose period begins after the contract's end (EDGE-20)."""
    return [
        bill.bill_id
        for bill in state.bills.values()
        if bill.status in (BillStatus.DRAFT, BillStatus.OPEN)
        and bill.bill_id not in state.not_withdrawn
        and not _is_wanted(state, bill.period)
    ]


def _is_wanted(state: ContractState, number: int) -> bool:
    return state.ending is None or state.schedule.period(number).start < state.ending.on


def _coming_cutoffs(state: ContractState, now: datetime) -> list[datetime]:
    """Also those of bills that change nothing, since another one already keeps access off."""
    return [block.at for block in known_blocks(state) if block.at > now]


def _is_due(state: ContractState, task: PlatformTask, identity: str, now: datetime) -> bool:
    retry = _task_retry(state, task, identity)
    return retry is None or (retry.at is not None and retry.at <= now)


def _task_retry(state: ContractState, task: PlatformTask, identity: str) -> Retry | None:
    return state.platform_tasks.get(task, {}).get(identity)


def _with_task(state: ContractState, task: PlatformTask, identity: str, retry: Retry) -> ContractState:
    of_task = {**state.platform_tasks.get(task, {}), identity: retry}
    return state.model_copy(update={"platform_tasks": {**state.platform_tasks, task: of_task}})


def _without_task(state: ContractState, task: PlatformTask, identity: str) -> ContractState:
    of_task = {known: retry for known, retry in state.platform_tasks.get(task, {}).items() if known != identity}
    return state.model_copy(update={"platform_tasks": {**state.platform_tasks, task: of_task}})


def _next_retry(known: Retry | None, now: datetime) -> Retry:
    failures = known.failures if known else 0
    wait = RETRY_AFTER[failures] if failures < len(RETRY_AFTER) else RETRY_THEN
    return Retry(at=now + wait, failures=failures + 1)
