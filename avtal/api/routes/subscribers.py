"""Subscribers: what they may read, and their data, used from the next bill on."""

from fastapi import APIRouter

from avtal.api.authentication import Asking
from avtal.api.pagination import AskedPage, page_of
from avtal.api.problems.problems import NOT_FOUND, READS_BODY, Problem, declared
from avtal.api.requests import SubscriberId
from avtal.api.responses.contracts import subscriber_access
from avtal.api.responses.models import ContractAccess, Page
from avtal.contracts.bills.invoice import Subscriber
from avtal.store.billing.subscribers import put_subscriber
from avtal.store.queries.bills import is_subscriber
from avtal.store.queries.contracts import contracts_of_subscriber
from starter.sale import SubscriberData

router = APIRouter(tags=["subscribers"])


@router.get("/subscribers/{subscriber_id}/access", responses=declared(404))
def access(caller: Asking, subscriber_id: SubscriberId, asked: AskedPage) -> Page[ContractAccess]:
    """Access for each of the subscriber's contracts, with its products."""
    now = caller.api.clock.now()
    with caller.api.database.read() as session:
        found = contracts_of_subscriber(session, caller.account, subscriber_id)
        if not found and not is_subscriber(session, caller.account, subscriber_id):
            raise _unknown(subscriber_id)
        page, cursor = page_of(found, asked, lambda one: one.contract_id)
        items = subscriber_access(session, caller.account, page, now, caller.language)
    return Page(items=items, next_cursor=cursor)


@router.put("/subscribers/{subscriber_id}", responses=declared(404, *READS_BODY))
def put(caller: Asking, subscriber_id: SubscriberId, body: SubscriberData) -> Subscriber:
    """New data in place of the old: a field that is left out takes its default."""
    subscriber = body.subscriber(subscriber_id)
    with caller.api.database.write() as session:
        if not is_subscriber(session, caller.account, subscriber_id):
            raise _unknown(subscriber_id)
        put_subscriber(session, caller.account, subscriber)
    return subscriber


def _unknown(subscriber_id: str) -> Problem:
    return Problem(NOT_FOUND, f"no subscriber {subscriber_id}; a sale brings one")
