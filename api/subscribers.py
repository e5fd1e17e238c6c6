"""Subscribers: what they may read, and their data, used from the next bill on."""

from fastapi import APIRouter

from api.answers import ContractAccess, Page
from api.bodies import SubscriberId
from api.callers import Asking
from api.contract_answers import subscriber_access
from api.pages import AskedPage, page_of
from api.problems import NOT_FOUND, READS_BODY, Problem, declared
from contracts.invoice import Subscriber
from starter.sale import SubscriberData
from store.contracts import contracts_of_subscriber
from store.subscribers import put_subscriber
from store.views import is_subscriber

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
