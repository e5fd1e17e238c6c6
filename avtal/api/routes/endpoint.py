"""The account's webhook endpoint: read, set, remove, replay. Events are delivered to it."""

import time

from fastapi import APIRouter

from avtal.api.authentication import Caller, CurrentCaller
from avtal.api.problems.problems import BODY_ERRORS, REFUSED, Problem, invalid, problem_responses
from avtal.api.requests import EndpointChange, Replay
from avtal.api.responses.bodies import (
    EndpointResponse,
    EndpointWithSecret,
    FailedDelivery,
    ReplayResponse,
    WaitingEvent,
)
from avtal.endpoint_resolver import InvalidEndpoint, addresses_of
from avtal.store.accounts.endpoints import Endpoint, endpoint, remove_endpoint, set_endpoint
from avtal.store.queues.deliveries import NoEndpoint, replay
from starter.errors import FieldError

router = APIRouter(tags=["events"])


@router.get("/endpoint")
def get_endpoint(caller: CurrentCaller) -> EndpointResponse:
    """The endpoint and the state of its deliveries, without its secret."""
    return _response(caller)


@router.put("/endpoint", responses=problem_responses(*BODY_ERRORS))
def put_endpoint(caller: CurrentCaller, body: EndpointChange) -> EndpointWithSecret:
    """Set, move, or remove the endpoint. A new one gets a signing secret; `new_secret` replaces it, and the old secret
    stays valid for 24 hours."""
    if body.url is None:
        with caller.api.database.write() as session:
            remove_endpoint(session, caller.account)
        return EndpointWithSecret(url=None, secret=None)
    _check(caller, body.url)
    with caller.api.database.write() as session:
        secret = set_endpoint(
            session, caller.api.cipher, caller.account, body.url, time.time(), new_secret=body.new_secret
        )
    return EndpointWithSecret(**dict(_response(caller)), secret=secret)


@router.post("/endpoint/replay", responses=problem_responses(409, *BODY_ERRORS))
def replay_events(caller: CurrentCaller, body: Replay) -> ReplayResponse:
    """Deliver the events after a number once more, for all contracts or for one."""
    try:
        with caller.api.database.write() as session:
            queued, last = replay(session, caller.account, body.after, body.contract_id, time.time())
    except NoEndpoint:
        raise Problem(REFUSED, "there is no endpoint to deliver to; set one first") from None
    return ReplayResponse(queued=queued, next_after=last)


def _check(caller: Caller, url: str) -> None:
    try:
        addresses_of(url, private_ok=caller.api.private_endpoints)
    except InvalidEndpoint as error:
        raise invalid(FieldError("/url", str(error))) from None


def _response(caller: Caller) -> EndpointResponse:
    with caller.api.database.read() as session:
        found = endpoint(session, caller.account)
    return EndpointResponse(url=None) if found is None else _endpoint_response(found)


def _endpoint_response(found: Endpoint) -> EndpointResponse:
    oldest = failure = None
    if found.oldest_waiting_seq is not None and found.oldest_waiting_since is not None:
        oldest = WaitingEvent(seq=found.oldest_waiting_seq, since=found.oldest_waiting_since)
    if found.last_error is not None and found.last_error_at is not None:
        failure = FailedDelivery(at=found.last_error_at, detail=found.last_error)
    return EndpointResponse(
        url=found.url,
        delivered_seq=found.delivered_seq,
        waiting=found.waiting,
        oldest_waiting=oldest,
        last_failure=failure,
        dead=list(found.dead),
    )
