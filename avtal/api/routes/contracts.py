"""Contracts: sell, list, read, change, cancel."""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Query, Response

from avtal.api.authentication import Caller, CurrentCaller
from avtal.api.pagination import PageParameters, page_of
from avtal.api.problems.problems import BODY_ERRORS, problem_responses
from avtal.api.requests import Cancellation, ContractId
from avtal.api.responses.bodies import AccessResponse, ContractResponse, Page
from avtal.api.responses.contracts import access_responses, contract_responses
from avtal.contracts.access.access import Access
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.log_context import log_context
from avtal.store.queries.contracts import StoredContract, contract, contracts
from starter.changes import Change, change_contract
from starter.errors import ContractNotFound
from starter.sale import Sale, sell

router = APIRouter(tags=["contracts"])
log = logging.getLogger(__name__)


class ListParameters(PageParameters):
    status: ContractStatus | None = None
    access: Access | None = None


LOCATION = {"Location": {"description": "The contract's path", "required": True, "schema": {"type": "string"}}}


@router.post(
    "/contracts",
    status_code=201,
    responses={
        200: {
            "description": "Sold before, on the same terms; nothing changed",
            "model": ContractResponse,
            "headers": LOCATION,
        },
        201: {"description": "Sold", "headers": LOCATION},
        **problem_responses(409, *BODY_ERRORS),
    },
)
def sell_contract(caller: CurrentCaller, sale: Sale, response: Response) -> ContractResponse:
    """Sell a contract, which starts it. The same sale again finds the same contract and changes nothing."""
    result = sell(caller.api.database, caller.account, sale, caller.api.clock.now())
    if result.is_new:
        caller.api.wake()
        with log_context(caller.account, result.contract_id):
            log.info("contract %s sold", result.contract_id)
    else:
        response.status_code = 200
    response.headers["Location"] = f"/v1/contracts/{result.contract_id}"
    return _response(caller, result.contract_id)


@router.get("/contracts")
def list_contracts(caller: CurrentCaller, parameters: Annotated[ListParameters, Query()]) -> Page[ContractResponse]:
    """All contracts, ordered by id."""
    now = caller.api.clock.now()
    with caller.api.database.read() as session:
        found = contracts(
            session,
            caller.account,
            status=parameters.status,
            access=parameters.access,
            after=parameters.after,
            limit=parameters.limit + 1,
        )
        page, cursor = page_of(found, parameters.limit, lambda item: item.contract_id)
        return Page(items=contract_responses(session, caller.account, page, now, caller.language), next_cursor=cursor)


@router.get("/contracts/{contract_id}", responses=problem_responses(404))
def get_contract(caller: CurrentCaller, contract_id: ContractId) -> ContractResponse:
    return _response(caller, contract_id)


@router.get("/contracts/{contract_id}/access", responses=problem_responses(404))
def get_contract_access(caller: CurrentCaller, contract_id: ContractId) -> AccessResponse:
    """Whether the contract gives access now, and why."""
    found = read_contract(caller, contract_id)
    with caller.api.database.read() as session:
        responses = access_responses(session, caller.account, [found], caller.api.clock.now(), caller.language)
    return responses[contract_id]


@router.patch("/contracts/{contract_id}", responses=problem_responses(404, 409, *BODY_ERRORS))
def update_contract(caller: CurrentCaller, contract_id: ContractId, body: Change) -> ContractResponse:
    """Change terms: new lines from the next period on, the rest for bills made from now on. Omitted fields stay."""
    change_contract(caller.api.database, caller.account, contract_id, body, caller.api.clock.now())
    return _response(caller, contract_id)


@router.post("/contracts/{contract_id}/cancel", responses=problem_responses(404, 409, 503, *BODY_ERRORS))
async def cancel_contract(caller: CurrentCaller, contract_id: ContractId, body: Cancellation) -> ContractResponse:
    """End the contract at the end of the period, now, or on a date: the first day without access."""
    await caller.api.commands.cancel(caller.account, contract_id, body.at)
    return await asyncio.to_thread(_response, caller, contract_id)


@router.post("/contracts/{contract_id}/revoke-cancellation", responses=problem_responses(404, 409, 503))
async def revoke_cancellation(caller: CurrentCaller, contract_id: ContractId) -> ContractResponse:
    """Revoke a cancellation, as long as the contract has not ended."""
    await caller.api.commands.revoke_cancellation(caller.account, contract_id)
    return await asyncio.to_thread(_response, caller, contract_id)


def read_contract(caller: Caller, contract_id: str) -> StoredContract:
    """Raises ContractNotFound."""
    with caller.api.database.read() as session:
        found = contract(session, caller.account, contract_id)
    if found is None:
        raise ContractNotFound(f"no contract {contract_id}")
    return found


def _response(caller: Caller, contract_id: str) -> ContractResponse:
    found = read_contract(caller, contract_id)
    with caller.api.database.read() as session:
        [response] = contract_responses(session, caller.account, [found], caller.api.clock.now(), caller.language)
    return response
