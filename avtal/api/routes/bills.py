"""Bills: list, read with history, retry, waive. A refund is refused."""

import asyncio

from fastapi import APIRouter

from avtal.api.authentication import Caller, CurrentCaller
from avtal.api.pagination import PageQuery, page_of_all
from avtal.api.problems.problems import BODY_ERRORS, REFUND_NOT_POSSIBLE, Problem, ProblemResponse, problem_responses
from avtal.api.requests import BillId, ContractId, Waiver
from avtal.api.responses.bills import bill_response, bill_with_history
from avtal.api.responses.bodies import BillResponse, BillWithHistory, Page
from avtal.api.routes.contracts import read_contract
from avtal.store.queries.bills import bill, bills_of_contract, history
from starter.errors import ContractNotFound

router = APIRouter(tags=["bills"])


@router.get("/contracts/{contract_id}/bills", responses=problem_responses(404))
def list_bills(caller: CurrentCaller, contract_id: ContractId, parameters: PageQuery) -> Page[BillResponse]:
    """The contract's bills, oldest period first, without their history."""
    read_contract(caller, contract_id)
    with caller.api.database.read() as session:
        found = bills_of_contract(session, caller.account, contract_id)
    page, cursor = page_of_all(found, parameters, lambda item: item.bill_id)
    return Page(items=[bill_response(item) for item in page], next_cursor=cursor)


@router.get("/bills/{bill_id}", responses=problem_responses(404))
def get_bill(caller: CurrentCaller, bill_id: BillId) -> BillWithHistory:
    """The bill with its whole history."""
    return _response(caller, bill_id)


@router.post("/bills/{bill_id}/retry", responses=problem_responses(404, 409, 503))
async def retry_bill(caller: CurrentCaller, bill_id: BillId) -> BillWithHistory:
    """Make a parked bill again, once its cause is fixed. Returns the bill, or its next revision."""
    retried_id = await caller.api.commands.retry_bill(caller.account, bill_id)
    return await asyncio.to_thread(_response, caller, retried_id)


@router.post("/bills/{bill_id}/waive", responses=problem_responses(404, 409, 503, *BODY_ERRORS))
async def waive_bill(caller: CurrentCaller, bill_id: BillId, body: Waiver) -> BillWithHistory:
    """Waive a parked bill: the subscriber has its period for free."""
    await caller.api.commands.waive_bill(caller.account, bill_id, body.reason)
    return await asyncio.to_thread(_response, caller, bill_id)


@router.post(
    "/bills/{bill_id}/refund", status_code=409, response_class=ProblemResponse, responses=problem_responses(404, 409)
)
def refund_bill(caller: CurrentCaller, bill_id: BillId) -> None:
    """Always refused: a paid invoice is not refunded here. `detail` says what to do instead."""
    _response(caller, bill_id)
    raise Problem(
        REFUND_NOT_POSSIBLE,
        f"the payment of {bill_id} can't be refunded here: transfer the money to the subscriber outside Avtal, "
        "then credit the invoice in Billogram; the credit comes back as a callback and shows on the bill",
    )


def _response(caller: Caller, bill_id: str) -> BillWithHistory:
    """Raises ContractNotFound."""
    with caller.api.database.read() as session:
        found = bill(session, caller.account, bill_id)
        if found is None:
            raise ContractNotFound(f"no bill {bill_id}")
        return bill_with_history(found, history(session, caller.account, bill_id))
