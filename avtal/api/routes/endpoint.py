"""Where the publisher wants to be told, and what has become of the telling."""

import time

from fastapi import APIRouter

from avtal.api.authentication import Asking, Caller
from avtal.api.problems.problems import READS_BODY, REFUSED, Problem, declared, invalid
from avtal.api.requests import EndpointChange, Replay
from avtal.api.responses.events import ChangedEndpoint, DeliveryTrouble, EndpointResponse, OldestWaiting, ReplayResponse
from avtal.endpoint_resolver import InvalidEndpoint, addresses_of
from avtal.store.feed.endpoints import Endpoint, endpoint, remove_endpoint, set_endpoint
from avtal.store.queues.deliveries import NoEndpoint, replay
from starter.sale import FieldError

router = APIRouter(tags=["events"])


@router.get("/endpoint")
def current(caller: Asking) -> EndpointResponse:
    """The endpoint and how it is doing; its secret is never shown again."""
    return _answer(caller)


@router.put("/endpoint", responses=declared(*READS_BODY))
def change(caller: Asking, body: EndpointChange) -> ChangedEndpoint:
    """Set, move, or take away the endpoint. A new one gets a signing secret, as does one that asks for another; the
    secret before stays valid for 24 hours."""
    if body.url is None:
        with caller.api.database.write() as session:
            remove_endpoint(session, caller.account)
        return ChangedEndpoint(url=None, secret=None)
    _check(caller, body.url)
    with caller.api.database.write() as session:
        secret = set_endpoint(
            session, caller.api.cipher, caller.account, body.url, time.time(), new_secret=body.new_secret
        )
    return ChangedEndpoint(**dict(_answer(caller)), secret=secret)


@router.post("/endpoint/replay", responses=declared(409, *READS_BODY))
def again(caller: Asking, body: Replay) -> ReplayResponse:
    """Deliver once more what happened after an event, for all contracts or for one."""
    try:
        with caller.api.database.write() as session:
            queued, last = replay(session, caller.account, body.after, body.contract_id, time.time())
    except NoEndpoint:
        raise Problem(REFUSED, "there is no endpoint to deliver to; set one first") from None
    return ReplayResponse(queued=queued, next_after=last)


def _check(caller: Caller, url: str) -> None:
    try:
        addresses_of(url, private_ok=caller.api.private_endpoints)
    except InvalidEndpoint as bad:
        raise invalid(FieldError("/url", str(bad))) from None


def _answer(caller: Caller) -> EndpointResponse:
    with caller.api.database.read() as session:
        found = endpoint(session, caller.account)
    return EndpointResponse(url=None) if found is None else _told(found)


def _told(found: Endpoint) -> EndpointResponse:
    oldest = failure = None
    if found.oldest_waiting_seq is not None and found.oldest_waiting_since is not None:
        oldest = OldestWaiting(seq=found.oldest_waiting_seq, since=found.oldest_waiting_since)
    if found.last_error is not None and found.last_error_at is not None:
        failure = DeliveryTrouble(at=found.last_error_at, detail=found.last_error)
    return EndpointResponse(
        url=found.url,
        delivered_seq=found.delivered_seq,
        waiting=found.waiting,
        oldest_waiting=oldest,
        last_failure=failure,
        dead=list(found.dead),
    )
