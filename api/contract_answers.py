"""From the contract's row to what the API says of it. What the workflow owns is told as written; the rest is computed
for the moment of asking."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from api.answers import AccessAnswer, AccessChangeAnswer, ContractAccess, ContractAnswer
from api.bill_answers import parked_answer
from contracts.access import AccessNow, AccessReason, access_at, block_of
from contracts.bill import BillRecord
from contracts.state import ContractStatus
from contracts.terms import is_billed
from contracts.why import Language, explain
from store.accounts import current_policy
from store.contracts import StoredContract
from store.terms import Terms, in_force, terms_of
from store.views import StoredBill, deciding_bills, live_bills

BLOCKED = frozenset({AccessReason.PAST_GRACE, AccessReason.LOSS})
"""Access is off for a bill."""


def contract_answers(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime, language: Language
) -> list[ContractAnswer]:
    version, _ = current_policy(session, account)
    access = access_answers(session, account, found, now, language)
    bills: dict[str, list[StoredBill]] = {contract.contract_id: [] for contract in found}
    for bill in live_bills(session, account, list(bills)):
        bills[bill.contract_id].append(bill)
    return [
        _contract_answer(contract, access[contract.contract_id], bills[contract.contract_id], version, now)
        for contract in found
    ]


def access_answers(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime, language: Language
) -> dict[str, AccessAnswer]:
    """Of each contract; one query."""
    bills = deciding_bills(session, account, [contract.contract_id for contract in found])
    return {
        contract.contract_id: _access_answer(contract, bills[contract.contract_id], now, language) for contract in found
    }


def _access_answer(
    contract: StoredContract, bills: Mapping[str, BillRecord], now: datetime, language: Language
) -> AccessAnswer:
    """What the workflow has written stands; what blocks, and what comes next, is computed for it."""
    schedule, ending = contract.schedule, contract.ending
    blocks = [block for bill in bills.values() if (block := block_of(bill, schedule.zone))]
    is_off = contract.reason in BLOCKED
    counted = [block for block in blocks if block.at > now or is_off]
    computed = access_at(schedule, contract.sold_at, ending, now, counted)
    change = computed.next_change
    told = AccessNow(
        access=contract.access,
        reason=contract.reason,
        since=contract.since,
        blocking=computed.blocking if is_off else (),
        next_change=change,
    )
    return AccessAnswer(
        access=told.access,
        since=told.since,
        reason=told.reason,
        explanation=explain(told, schedule, ending, bills, language),
        next_change=AccessChangeAnswer(at=change.at, to=change.to, because=change.because) if change else None,
    )


def subscriber_access(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime, language: Language
) -> list[ContractAccess]:
    """With the products of the period that runs."""
    access = access_answers(session, account, found, now, language)
    terms = terms_of(session, account, [contract.contract_id for contract in found])
    return [
        ContractAccess(
            contract_id=contract.contract_id,
            products=_products(terms[contract.contract_id], contract.schedule.period_at(now).number),
            access=access[contract.contract_id],
        )
        for contract in found
    ]


def _contract_answer(
    contract: StoredContract, access: AccessAnswer, bills: Sequence[StoredBill], version: int, now: datetime
) -> ContractAnswer:
    has_ended = contract.status is ContractStatus.ENDED
    return ContractAnswer(
        contract_id=contract.contract_id,
        status=contract.status,
        access=access,
        current_period=None if has_ended else contract.schedule.period_at(now),
        next_renewal=None if has_ended else _next_renewal(contract, now),
        open_bills=[bill.bill_id for bill in bills],
        parked=[parked for bill in bills if (parked := parked_answer(bill))],
        policy_version=version,
        terms=contract.sale,
    )


def _next_renewal(contract: StoredContract, now: datetime) -> date | None:
    following = contract.schedule.period_at(now).number + 1
    if contract.status is ContractStatus.SUSPENDED or not is_billed(contract.schedule, following, contract.ending):
        return None
    return contract.schedule.period(following).start


def _products(versions: Sequence[Terms], period: int) -> list[str]:
    return list(dict.fromkeys(line.product for line in in_force(versions, period).lines))
