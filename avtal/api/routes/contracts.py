"""Contracts: sold, shown, listed, cancelled."""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Query, Response

from avtal.api.authentication import Asking, Caller
from avtal.api.pagination import Paging, cut
from avtal.api.problems.problems import READS_BODY, declared
from avtal.api.requests import Cancellation, ContractId
from avtal.api.responses.contracts import access_responses, contract_responses
from avtal.api.responses.models import AccessResponse, ContractResponse, Page
from avtal.contracts.access.access import Access
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.log_context import log_context
from avtal.store.queries.contracts import StoredContract, contract, contracts
from starter.changes import Change, change_contract
from starter.commands import ContractNotFound
from starter.sale import Sale
from starter.sales import sell

router = APIRouter(tags=["contracts"])
log = logging.getLogger(__name__)


class Listing(Paging):
    status: ContractStatus | None = None
    access: Access | None = None


LOCATION = {"Location": {"description": "Of the contract", "required": True, "schema": {"type": "string"}}}


@router.post(
    "/contracts",
    status_code=201,
    responses={
        200: {"description": "Sold before, on the same terms", "model": ContractResponse, "headers": LOCATION},
        201: {"description": "Sold", "headers": LOCATION},
        **declared(409, *READS_BODY),
    },
)
def start(caller: Asking, sale: Sale, response: Response) -> ContractResponse:
    """Start a contract on sale. The same sale again finds the same contract, and changes nothing."""
    sold = sell(caller.api.database, caller.account, sale, caller.api.clock.now())
    if sold.is_new:
        caller.api.wake()
        with log_context(caller.account, sold.contract_id):
            log.info("contract %s sold", sold.contract_id)
    else:
        response.status_code = 200
    response.headers["Location"] = f"/v1/contracts/{sold.contract_id}"
    return _answer(caller, sold.contract_id)


@router.get("/contracts")
def every(caller: Asking, asked: Annotated[Listing, Query()]) -> Page[ContractResponse]:
    """All contracts, in the order of their ids."""
    now = caller.api.clock.now()
    with caller.api.database.read() as session:
        found = contracts(
            session,
            caller.account,
            status=asked.status,
            access=asked.access,
            after=asked.after,
            limit=asked.limit + 1,
        )
        page, cursor = cut(found, asked.limit, lambda one: one.contract_id)
        return Page(items=contract_responses(session, caller.account, page, now, caller.language), next_cursor=cursor)


@router.get("/contracts/{contract_id}", responses=declared(404))
def one(caller: Asking, contract_id: ContractId) -> ContractResponse:
    return _answer(caller, contract_id)


@router.get("/contracts/{contract_id}/access", responses=declared(404))
def access(caller: Asking, contract_id: ContractId) -> AccessResponse:
    """Whether the contract gives access now, and why."""
    with caller.api.database.read() as session:
        found = contract(session, caller.account, contract_id)
        if found is None:
            raise ContractNotFound(f"no contract {contract_id}")
        answers = access_responses(session, caller.account, [found], caller.api.clock.now(), caller.language)
    return answers[contract_id]


@router.patch("/contracts/{contract_id}", responses=declared(404, 409, *READS_BODY))
def change(caller: Asking, contract_id: ContractId, body: Change) -> ContractResponse:
    """New lines hold from the next period on, the rest for bills that are made from now on. What is left out stays."""
    change_contract(caller.api.database, caller.account, contract_id, body, caller.api.clock.now())
    return _answer(caller, contract_id)


@router.post("/contracts/{contract_id}/cancel", responses=declared(404, 409, 503, *READS_BODY))
async def cancel(caller: Asking, contract_id: ContractId, body: Cancellation) -> ContractResponse:
    """End a contract: at the end of the period, now, or at a date, which is the first day without access."""
    await caller.api.commands.cancel(caller.account, contract_id, body.at)
    return await asyncio.to_thread(_answer, caller, contract_id)


@router.post("/contracts/{contract_id}/revoke-cancellation", responses=declared(404, 409, 503))
async def revoke_cancellation(caller: Asking, contract_id: ContractId) -> ContractResponse:
    """Take a cancellation back, as long as the contract has not ended."""
    await caller.api.commands.revoke_cancellation(caller.account, contract_id)
    return await asyncio.to_thread(_answer, caller, contract_id)


def known_contract(caller: Caller, contract_id: str) -> StoredContract:
    """Raises ContractNotFound."""
    with caller.api.database.read() as session:
        found = contract(session, caller.account, contract_id)
    if found is None:
        raise ContractNotFound(f"no contract {contract_id}")
    return found


def _answer(caller: Caller, contract_id: str) -> ContractResponse:
    found = known_contract(caller, contract_id)
    with caller.api.database.read() as session:
        [answer] = contract_responses(session, caller.account, [found], caller.api.clock.now(), caller.language)
    return answer
