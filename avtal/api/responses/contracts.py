"""From the contract's row to what the API says of it. What the workflow owns is told as written; the rest is computed
for the moment of asking."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from avtal.api.responses.bills import parked_response
from avtal.api.responses.models import AccessChangeResponse, AccessResponse, ContractAccess, ContractResponse
from avtal.contracts.access.explanation import Language, explain
from avtal.contracts.bills.bill import BillSnapshot
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.store.accounts.accounts import current_policy
from avtal.store.billing.terms import Terms, in_force, terms_of
from avtal.store.queries.bills import StoredBill, deciding_bills, live_bills
from avtal.store.queries.contracts import StoredContract, access_told, renews_on


def contract_responses(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime, language: Language
) -> list[ContractResponse]:
    version, _ = current_policy(session, account)
    access = access_responses(session, account, found, now, language)
    bills: dict[str, list[StoredBill]] = {contract.contract_id: [] for contract in found}
    for bill in live_bills(session, account, list(bills)):
        bills[bill.contract_id].append(bill)
    return [
        _contract_answer(contract, access[contract.contract_id], bills[contract.contract_id], version, now)
        for contract in found
    ]


def access_responses(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime, language: Language
) -> dict[str, AccessResponse]:
    """Of each contract; one query."""
    bills = deciding_bills(session, account, [contract.contract_id for contract in found])
    return {
        contract.contract_id: _access_answer(contract, bills[contract.contract_id], now, language) for contract in found
    }


def _access_answer(
    contract: StoredContract, bills: Mapping[str, BillSnapshot], now: datetime, language: Language
) -> AccessResponse:
    told = access_told(contract, bills, now)
    change = told.next_change
    return AccessResponse(
        access=told.access,
        since=told.since,
        reason=told.reason,
        explanation=explain(told, contract.schedule, contract.ending, bills, language),
        next_change=AccessChangeResponse(at=change.at, to=change.to, because=change.because) if change else None,
    )


def subscriber_access(
    session: Session, account: str, found: Sequence[StoredContract], now: datetime, language: Language
) -> list[ContractAccess]:
    """With the products of the period that runs."""
    access = access_responses(session, account, found, now, language)
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
    contract: StoredContract, access: AccessResponse, bills: Sequence[StoredBill], version: int, now: datetime
) -> ContractResponse:
    has_ended = contract.status is ContractStatus.ENDED
    return ContractResponse(
        contract_id=contract.contract_id,
        status=contract.status,
        access=access,
        current_period=None if has_ended else contract.schedule.period_at(now),
        next_renewal=renews_on(contract, now),
        open_bills=[bill.bill_id for bill in bills],
        parked=[parked for bill in bills if (parked := parked_response(bill))],
        policy_version=version,
        terms=contract.sale,
    )


def _products(versions: Sequence[Terms], period: int) -> list[str]:
    return list(dict.fromkeys(line.product for line in in_force(versions, period).lines))
