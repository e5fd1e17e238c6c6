"""Where the publisher wants to be told, and what has become of the telling."""

import time

from fastapi import APIRouter

from api.bodies import EndpointChange, Replay
from api.callers import Asking, Caller
from api.event_answers import ChangedEndpoint, DeliveryTrouble, EndpointAnswer, OldestWaiting, ReplayAnswer
from api.problems import READS_BODY, REFUSED, Problem, declared, invalid
from starter.endpoint import BadEndpoint, addresses_of
from starter.sale import FieldError
from store.deliveries import NoEndpoint, replay
from store.endpoints import Endpoint, endpoint, remove_endpoint, set_endpoint

router = APIRouter(tags=["events"])


@router.get("/endpoint")
def current(caller: Asking) -> EndpointAnswer:
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
def again(caller: Asking, body: Replay) -> ReplayAnswer:
    """Deliver once more what happened after an event, for all contracts or for one."""
    try:
        with caller.api.database.write() as session:
            queued, last = replay(session, caller.account, body.after, body.contract_id, time.time())
    except NoEndpoint:
        raise Problem(REFUSED, "there is no endpoint to deliver to; set one first") from None
    return ReplayAnswer(queued=queued, next_after=last)


def _check(caller: Caller, url: str) -> None:
    try:
        addresses_of(url, private_ok=caller.api.private_endpoints)
    except BadEndpoint as bad:
        raise invalid(FieldError("/url", str(bad))) from None


def _answer(caller: Caller) -> EndpointAnswer:
    with caller.api.database.read() as session:
        found = endpoint(session, caller.account)
    return EndpointAnswer(url=None) if found is None else _told(found)


def _told(found: Endpoint) -> EndpointAnswer:
    oldest = failure = None
    if found.oldest_waiting_seq is not None and found.oldest_waiting_since is not None:
        oldest = OldestWaiting(seq=found.oldest_waiting_seq, since=found.oldest_waiting_since)
    if found.trouble is not None and found.trouble_at is not None:
        failure = DeliveryTrouble(at=found.trouble_at, detail=found.trouble)
    return EndpointAnswer(
        url=found.url,
        delivered_seq=found.delivered_seq,
        waiting=found.waiting,
        oldest_waiting=oldest,
        last_failure=failure,
        dead=list(found.dead),
    )
