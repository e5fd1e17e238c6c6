"""Bills: listed, shown with their whole history, and what a person does about one that has stopped."""

import asyncio

from fastapi import APIRouter

from avtal.api.authentication import Asking, Caller
from avtal.api.pagination import AskedPage, page_of
from avtal.api.problems.problems import READS_BODY, REFUND_NOT_POSSIBLE, Problem, ProblemResponse, declared
from avtal.api.requests import BillId, ContractId, Waiver
from avtal.api.responses.bills import bill_response, bill_with_history
from avtal.api.responses.models import BillResponse, BillWithHistory, Page
from avtal.api.routes.contracts import known_contract
from avtal.store.queries.bills import bill, bills_of_contract, history
from starter.commands import ContractNotFound

router = APIRouter(tags=["bills"])


@router.get("/contracts/{contract_id}/bills", responses=declared(404))
def of_contract(caller: Asking, contract_id: ContractId, asked: AskedPage) -> Page[BillResponse]:
    """The contract's bills, oldest period first, without their history."""
    known_contract(caller, contract_id)
    with caller.api.database.read() as session:
        found = bills_of_contract(session, caller.account, contract_id)
    page, cursor = page_of(found, asked, lambda one: one.bill_id)
    return Page(items=[bill_response(one) for one in page], next_cursor=cursor)


@router.get("/bills/{bill_id}", responses=declared(404))
def one(caller: Asking, bill_id: BillId) -> BillWithHistory:
    """The bill with everything that has happened to it."""
    return _answer(caller, bill_id)


@router.post("/bills/{bill_id}/retry", responses=declared(404, 409, 503))
async def retry(caller: Asking, bill_id: BillId) -> BillWithHistory:
    """Make a stopped bill again, after the cause is mended. The answer may be its next revision."""
    renewed = await caller.api.commands.retry_bill(caller.account, bill_id)
    return await asyncio.to_thread(_answer, caller, renewed)


@router.post("/bills/{bill_id}/waive", responses=declared(404, 409, 503, *READS_BODY))
async def waive(caller: Asking, bill_id: BillId, body: Waiver) -> BillWithHistory:
    """Give a parked bill up: its period is free."""
    await caller.api.commands.waive_bill(caller.account, bill_id, body.reason)
    return await asyncio.to_thread(_answer, caller, bill_id)


@router.post("/bills/{bill_id}/refund", status_code=409, response_class=ProblemResponse, responses=declared(404, 409))
def refund(caller: Asking, bill_id: BillId) -> None:
    """Always refused: a paid invoice is not refunded here. The answer says what to do instead."""
    _answer(caller, bill_id)
    raise Problem(
        REFUND_NOT_POSSIBLE,
        f"the payment of {bill_id} can't be sent back from here: transfer the money to the reader outside Avtal, "
        "then credit the invoice in Billogram; the credit comes back as a callback and shows on the bill",
    )


def _answer(caller: Caller, bill_id: str) -> BillWithHistory:
    """Raises ContractNotFound."""
    with caller.api.database.read() as session:
        found = bill(session, caller.account, bill_id)
        if found is None:
            raise ContractNotFound(f"no bill {bill_id}")
        return bill_with_history(found, history(session, caller.account, bill_id))
