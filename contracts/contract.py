"""What happens to a contract by itself: its bills are ordered and made, news of them comes, platforms are asked.

What people ask of it stands in `contracts.commands`, which periods are billed in `contracts.renewals`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from contracts.access import block_of
from contracts.bill import LIVE, NOT_MADE, BillRecord, BillStatus, bill_id
from contracts.periods import Period
from contracts.renewals import access_of, lifted, renewal_at, renewals_due
from contracts.state import DROPPED_KEPT_MAX, ContractState, Errand, Renewals, Retry, Standing, unread_blocks

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
RETRY_THEN = timedelta(hours=6)


def bills_to_make(state: ContractState, now: datetime) -> Iterator[tuple[Period, int]]:
    """Each period, with its revision, whose bill is due to be made or tried again by `now`."""
    for identity, retry in state.retries.items():
        if retry.at is not None and retry.at <= now:
            bill = state.bills[identity]
            yield state.schedule.period(bill.period), bill.revision
    for period in renewals_due(state, now):
        yield period, 0


def making(state: ContractState, contract_id: str, period: Period, revision: int) -> ContractState:
    """The state once the creation of this bill has been ordered."""
    identity = bill_id(contract_id, period.number, revision)
    bill = state.bills.get(identity) or BillRecord(bill_id=identity, period=period.number, revision=revision)
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


def next_due(state: ContractState, now: datetime) -> datetime | None:
    """The next instant at which the contract has something to do by itself, or None."""
    errands = (state.errands.get(_key(*wanted)) for wanted in _errands_wanted(state, now))
    waiting = (*state.retries.values(), *(errand for errand in errands if errand))
    instants = [retry.at for retry in waiting if retry.at is not None]
    if (renewal := renewal_at(state, now)) is not None:
        instants.append(renewal)
    if (change := access_of(state, now).next_change) is not None:
        instants.append(change.at)
    if state.ending is not None and now < state.ending.at:
        instants.append(state.ending.at)  # also where access never went on
    if state.ending is None or now < state.ending.at:
        instants += _cutoffs_to_come(state, now)
        if now < (begins := state.schedule.renewal_instant(0)):
            instants.append(begins)  # also where a bill keeps access off from the start
    return min(instants, default=None)


def after_failure(state: ContractState, identity: str, now: datetime) -> ContractState:
    """The creation failed on the platform's side: try again after 1, 5, 15, 60 minutes, then every 6 hours.

    A bill of which better news came meanwhile, or that was given up, is not tried again.
    """
    bill = state.bills.get(identity)
    if bill is None or bill.status not in NOT_MADE:
        return state
    retry = _later(state.retries.get(identity), now)
    return state.model_copy(update={"retries": {**state.retries, identity: retry}})


def made(state: ContractState, identity: str, bill: BillRecord, now: datetime) -> ContractState:
    """The creation of `identity` has ended with `bill`: itself, or the later revision that its period has already."""
    bills = {known: other for known, other in state.bills.items() if known == bill.bill_id or known != identity}
    retries = {known: retry for known, retry in state.retries.items() if known != identity}
    return noted(state.model_copy(update={"bills": bills, "retries": retries}), bill, now)


def noted(state: ContractState, bill: BillRecord, now: datetime) -> ContractState:
    """The state with the news of one bill, from an activity or a signal, in any order and any number of times."""
    known = state.bills.get(bill.bill_id)
    seen = known.version if known else state.dropped.get(bill.bill_id, -1)
    if bill.version <= seen:
        return state
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
            "dropped": dict(list(dropped.items())[-DROPPED_KEPT_MAX:]),
            "retries": retries,
            "checked": {identity: at for identity, at in state.checked.items() if identity in bills},
            "errands": {key: retry for key, retry in state.errands.items() if key.partition(" ")[2] in bills},
            "renewals": _renewals(state.renewals, bill),
        }
    )
    return lifted(state, after, now)


def told(state: ContractState, what: Standing) -> ContractState:
    return state.model_copy(update={"told": what, "counter": what.counter})


def errands_to_run(state: ContractState, now: datetime) -> list[tuple[Errand, str]]:
    """What is to be asked of the platform now, and is not under way or put off already."""
    wanted = _errands_wanted(state, now)
    return [(errand, identity) for errand, identity in wanted if _is_time(state, errand, identity, now)]


def errand_begun(state: ContractState, errand: Errand, identity: str) -> ContractState:
    retry = state.errands.get(_key(errand, identity), Retry(at=None)).model_copy(update={"at": None})
    return state.model_copy(update={"errands": {**state.errands, _key(errand, identity): retry}})


def errand_failed(state: ContractState, errand: Errand, identity: str, now: datetime) -> ContractState:
    """The platform did not answer; access stays as it is, and it is asked again later."""
    key = _key(errand, identity)
    if identity not in state.bills:
        return state
    return state.model_copy(update={"errands": {**state.errands, key: _later(state.errands.get(key), now)}})


def errand_done(
    state: ContractState, contract_id: str, errand: Errand, bill: BillRecord, now: datetime
) -> ContractState:
    """What the platform's answer makes of the bill, and of the contract."""
    if errand is Errand.READ:
        return _bill_read(state, bill, now)
    return _bill_withdrawn(state, contract_id, bill, now)


def _bill_read(state: ContractState, bill: BillRecord, now: datetime) -> ContractState:
    """The platform was asked once more. If the bill is unpaid past its grace still, access goes off now."""
    known = _errand_ended(noted(state, bill, now), Errand.READ, bill.bill_id)
    block = block_of(bill, state.schedule.zone)
    if block is None or block.at > now or bill.bill_id not in known.bills:
        return known
    return known.model_copy(update={"checked": {**known.checked, bill.bill_id: block.at}})


def _bill_withdrawn(state: ContractState, contract_id: str, bill: BillRecord, now: datetime) -> ContractState:
    """The bill was taken back, or can't be, for money has come: then it is left to people. If the contract's end was
    revoked meanwhile, the period gets its next revision."""
    known = _errand_ended(noted(state, bill, now), Errand.WITHDRAW, bill.bill_id)
    if bill.status is not BillStatus.VOID:
        kept = (*known.kept, bill.bill_id)[-DROPPED_KEPT_MAX:]
        return known.model_copy(update={"kept": kept})
    known = known.model_copy(update={"withdrawn": {**known.withdrawn, bill.period: bill.revision}})
    return with_withdrawn_again(known, contract_id, now)


def with_withdrawn_again(state: ContractState, contract_id: str, now: datetime) -> ContractState:
    """Periods that are wanted again after their bill was withdrawn get its next revision (EDGE-22)."""
    bills, retries = dict(state.bills), dict(state.retries)
    wanted = [number for number in state.withdrawn if _is_wanted(state, number)]
    for number in wanted:
        revision = state.withdrawn[number] + 1
        identity = bill_id(contract_id, number, revision)
        bills[identity] = BillRecord(bill_id=identity, period=number, revision=revision)
        retries[identity] = Retry(at=now)
    withdrawn = {number: revision for number, revision in state.withdrawn.items() if number not in wanted}
    return state.model_copy(update={"bills": bills, "retries": retries, "withdrawn": withdrawn})


def _renewals(known: Renewals, bill: BillRecord) -> Renewals:
    """The newest bill's policy steers the renewals to come."""
    if bill.policy_version == 0 or (bill.period, bill.policy_version) < (known.period, known.policy_version):
        return known
    return Renewals(
        period=bill.period,
        policy_version=bill.policy_version,
        lead_days=bill.lead_days,
        window_minutes=bill.work_window_minutes,
        turn_seconds=bill.turn_seconds,
        while_off=bill.renewal_while_off,
        open_bills_max=bill.max_open_bills,
    )


def _to_withdraw(state: ContractState) -> list[str]:
    """Bills at the platform whose period begins when the contract is over (EDGE-20)."""
    return [
        bill.bill_id
        for bill in state.bills.values()
        if bill.status in (BillStatus.DRAFT, BillStatus.OPEN)
        and bill.bill_id not in state.kept
        and not _is_wanted(state, bill.period)
    ]


def _errands_wanted(state: ContractState, now: datetime) -> list[tuple[Errand, str]]:
    reads = [(Errand.READ, identity) for identity in unread_blocks(state, now)]
    return reads + [(Errand.WITHDRAW, identity) for identity in _to_withdraw(state)]


def _is_wanted(state: ContractState, number: int) -> bool:
    return state.ending is None or state.schedule.period(number).start < state.ending.on


def _cutoffs_to_come(state: ContractState, now: datetime) -> list[datetime]:
    """Also those of bills that change nothing, for another one keeps access off already."""
    found = (block_of(bill, state.schedule.zone) for bill in state.bills.values())
    return [block.at for block in found if block and block.at > now]


def _is_time(state: ContractState, errand: Errand, identity: str, now: datetime) -> bool:
    known = state.errands.get(_key(errand, identity))
    return known is None or (known.at is not None and known.at <= now)


def _errand_ended(state: ContractState, errand: Errand, identity: str) -> ContractState:
    errands = {key: retry for key, retry in state.errands.items() if key != _key(errand, identity)}
    return state.model_copy(update={"errands": errands})


def _key(errand: Errand, identity: str) -> str:
    return f"{errand} {identity}"


def _later(known: Retry | None, now: datetime) -> Retry:
    failures = known.failures if known else 0
    wait = RETRY_AFTER[failures] if failures < len(RETRY_AFTER) else RETRY_THEN
    return Retry(at=now + wait, failures=failures + 1)
