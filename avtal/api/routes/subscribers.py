"""Subscribers: read access, replace data. Bills made from now on use the new data."""

from fastapi import APIRouter

from avtal.api.authentication import CurrentCaller
from avtal.api.pagination import PageQuery, page_of_all
from avtal.api.problems.problems import BODY_ERRORS, NOT_FOUND, Problem, problem_responses
from avtal.api.requests import SubscriberId
from avtal.api.responses.bodies import ContractAccess, Page
from avtal.api.responses.contracts import subscriber_access
from avtal.contracts.bills.invoice import Subscriber
from avtal.store.billing.subscribers import put_subscriber
from avtal.store.queries.bills import is_subscriber
from avtal.store.queries.contracts import contracts_of_subscriber
from starter.sale import SubscriberData

router = APIRouter(tags=["subscribers"])


@router.get("/subscribers/{subscriber_id}/access", responses=problem_responses(404))
def get_subscriber_access(
    caller: CurrentCaller, subscriber_id: SubscriberId, parameters: PageQuery
) -> Page[ContractAccess]:
    """Access for each of the subscriber's contracts, with its products."""
    now = caller.api.clock.now()
    with caller.api.database.read() as session:
        found = contracts_of_subscriber(session, caller.account, subscriber_id)
        if not found and not is_subscriber(session, caller.account, subscriber_id):
            raise _not_found(subscriber_id)
        page, cursor = page_of_all(found, parameters, lambda item: item.contract_id)
        items = subscriber_access(session, caller.account, page, now, caller.language)
    return Page(items=items, next_cursor=cursor)


@router.put("/subscribers/{subscriber_id}", responses=problem_responses(404, *BODY_ERRORS))
def replace_subscriber(caller: CurrentCaller, subscriber_id: SubscriberId, body: SubscriberData) -> Subscriber:
    """Replace the data: an omitted field gets its default."""
    subscriber = body.subscriber(subscriber_id)
    with caller.api.database.write() as session:
        if not is_subscriber(session, caller.account, subscriber_id):
            raise _not_found(subscriber_id)
        put_subscriber(session, caller.account, subscriber)
    return subscriber


def _not_found(subscriber_id: str) -> Problem:
    return Problem(NOT_FOUND, f"no subscriber {subscriber_id}; a sale creates one")
