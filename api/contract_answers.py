"""From the contract's row to what the API says of it. What the workflow owns is told as written; the rest is computed
for the moment of asking."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from api.answers import AccessAnswer, AccessChangeAnswer, ContractAccess, ContractAnswer
from api.bill_answers import parked_answer
from contracts.access import explain
from contracts.contract import ContractStatus
from contracts.terms import next_renewal
from store.accounts import current_policy
from store.contracts import StoredContract, access_told
from store.views import StoredBill, live_bills


def contract_answers(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime
) -> list[ContractAnswer]:
    version, _ = current_policy(session, account)
    bills: dict[str, list[StoredBill]] = {contract.contract_id: [] for contract in found}
    for bill in live_bills(session, account, list(bills)):
        bills[bill.contract_id].append(bill)
    return [_contract_answer(contract, bills[contract.contract_id], version, now) for contract in found]


def access_answer(contract: StoredContract, now: datetime) -> AccessAnswer:
    told = access_told(contract, now)
    change = told.next_change
    return AccessAnswer(
        access=told.access,
        since=told.since,
        reason=told.reason,
        explanation=explain(told, contract.schedule, contract.ending),
        next_change=AccessChangeAnswer(at=change.at, to=change.to, because=change.because) if change else None,
    )


def contract_access(contract: StoredContract, now: datetime) -> ContractAccess:
    return ContractAccess(
        contract_id=contract.contract_id, products=_products(contract), access=access_answer(contract, now)
    )


def _contract_answer(
    contract: StoredContract, bills: Sequence[StoredBill], version: int, now: datetime
) -> ContractAnswer:
    has_ended = contract.status is ContractStatus.ENDED
    return ContractAnswer(
        contract_id=contract.contract_id,
        status=contract.status,
        access=access_answer(contract, now),
        current_period=None if has_ended else contract.schedule.period_at(now),
        next_renewal=None if has_ended else next_renewal(contract.schedule, contract.ending, now),
        open_bills=[bill.bill_id for bill in bills],
        parked=[parked for bill in bills if (parked := parked_answer(bill))],
        policy_version=version,
        terms=contract.sale,
    )


def _products(contract: StoredContract) -> list[str]:
    lines = contract.sale["lines"]
    assert isinstance(lines, list), "a sale has lines"
    return list(dict.fromkeys(line["product"] or line["title"] for line in lines))
