"""Builds the response bodies of a contract. What the workflow owns is shown as its row has it; the rest is computed for
the time of the request."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from avtal.api.responses.bills import parked_response
from avtal.api.responses.bodies import AccessChangeResponse, AccessResponse, ContractAccess, ContractResponse
from avtal.contracts.access.explanation import Language, explain
from avtal.contracts.bills.bill import BillSnapshot
from avtal.contracts.bills.creation import Terms, terms_in_force
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.store.accounts.accounts import current_policy
from avtal.store.billing.terms import terms_of
from avtal.store.queries.bills import StoredBill, deciding_bills, live_bills
from avtal.store.queries.contracts import StoredContract, current_access, renews_on


def contract_responses(
    session: Session, account: str, contracts: Sequence[StoredContract], now: datetime, language: Language
) -> list[ContractResponse]:
    version, _ = current_policy(session, account)
    access = access_responses(session, account, contracts, now, language)
    bills: dict[str, list[StoredBill]] = {contract.contract_id: [] for contract in contracts}
    for bill in live_bills(session, account, list(bills)):
        bills[bill.contract_id].append(bill)
    return [
        _contract_response(contract, access[contract.contract_id], bills[contract.contract_id], version, now)
        for contract in contracts
    ]


def access_responses(
    session: Session, account: str, contracts: Sequence[StoredContract], now: datetime, language: Language
) -> dict[str, AccessResponse]:
    """By contract id; one query for all."""
    bills = deciding_bills(session, account, [contract.contract_id for contract in contracts])
    return {
        contract.contract_id: _access_response(contract, bills[contract.contract_id], now, language)
        for contract in contracts
    }


def _access_response(
    contract: StoredContract, bills: Mapping[str, BillSnapshot], now: datetime, language: Language
) -> AccessResponse:
    access = current_access(contract, bills, now)
    change = access.next_change
    return AccessResponse(
        access=access.access,
        since=access.since,
        reason=access.reason,
        explanation=explain(access, contract.schedule, contract.ending, bills, language),
        next_change=AccessChangeResponse(at=change.at, to=change.to, because=change.because) if change else None,
    )


def subscriber_access(
    session: Session, account: str, contracts: Sequence[StoredContract], now: datetime, language: Language
) -> list[ContractAccess]:
    """With the products of the current period."""
    access = access_responses(session, account, contracts, now, language)
    terms = terms_of(session, account, [contract.contract_id for contract in contracts])
    return [
        ContractAccess(
            contract_id=contract.contract_id,
            products=_products(terms[contract.contract_id], contract.schedule.period_at(now).number),
            access=access[contract.contract_id],
        )
        for contract in contracts
    ]


def _contract_response(
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
        terms=contract.current_terms,
    )


def _products(versions: Sequence[Terms], period: int) -> list[str]:
    return list(dict.fromkeys(line.product for line in terms_in_force(versions, period).lines))
