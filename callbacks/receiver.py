"""`POST /callbacks/billogram/{account}`: who may speak is checked, what was said is stored, then it is answered.

No rule is applied before the answer (WEB-3). A repeat is answered like the first and changes nothing.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import simplejson
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter

from billogram.verify import is_genuine
from store.accounts import callback_keys
from store.cipher import Cipher
from store.clock import Clock
from store.database import Database
from store.inbox import store_callback

BODY_BYTES_MAX = 1024 * 1024
THREADS = 12
RECALLED = ("payment_recall", "payables", 0, "billogram", "id")
"""Where a recall names its billogram, or the first of several."""
RECEIVED = Counter("avtal_callbacks_received", "Callbacks by what became of them", ["outcome"])


@dataclass(frozen=True)
class Receiver:
    """`wake` tells the relay that there is something to do."""

    database: Database
    cipher: Cipher
    clock: Clock
    wake: Callable[[], None]


def receiver_router(receiver: Receiver) -> APIRouter:
    router = APIRouter()
    threads = CapacityLimiter(THREADS)

    @router.post("/callbacks/billogram/{account}", include_in_schema=False)
    async def receive(account: str, request: Request) -> Response:
        body = await _limited_body(request)
        if body is None:
            return _answer(413, "too_large", "a callback has at most 1 MiB")
        # In threads of its own: an answer waits neither for the relay nor for the API, nor do these wait for a burst.
        return await to_thread.run_sync(_receive, receiver, account, dict(request.headers), body, limiter=threads)

    return router


def _receive(receiver: Receiver, account: str, headers: dict[str, str], body: bytes) -> Response:
    keys = None
    if account.isprintable():  # what is not, such as a NUL, is no account's name, and not every database may be asked
        with receiver.database.read() as session:
            keys = callback_keys(session, receiver.cipher, account)
    if keys is None:
        return _answer(404, "unknown_account", "no such account")
    if not is_genuine(headers, body, keys):
        return _answer(401, "bad_signature", "the signature is missing or wrong, or the account has no callback key")
    told = _told(body)
    if told is None:
        return _answer(400, "not_json", "the body is no JSON object")
    with receiver.database.write() as session:
        now = receiver.clock.now()
        is_new = store_callback(session, account, *_names(told, body), body.decode(), now, time.time())
    if is_new:
        receiver.wake()
    return _answer(200, "stored" if is_new else "repeated", None)


async def _limited_body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return body


def _told(body: bytes) -> dict[str, object] | None:
    try:
        told = simplejson.loads(body)
    except (ValueError, RecursionError):  # the second: nested deeper than anything that is meant
        return None
    return told if isinstance(told, dict) else None


def _names(told: dict[str, object], body: bytes) -> tuple[str, str]:
    """The callback's own id, or one made of its words; and the billogram that it tells of, or the callback itself."""
    callback_id = _name(told.get("callback_id")) or f"sha256:{hashlib.sha256(body).hexdigest()}"
    return callback_id, _name(_part(told, "billogram", "id")) or _name(_part(told, *RECALLED)) or callback_id


def _part(told: object, *path: str | int) -> object:
    """What lies there, or None."""
    for step in path:
        if isinstance(told, dict):
            told = told.get(step)
        elif isinstance(told, list) and isinstance(step, int) and step < len(told):
            told = told[step]
        else:
            return None
    return told


def _name(value: object) -> str | None:
    """Printable signs alone: every database keeps those."""
    return value if isinstance(value, str) and len(value) <= 100 and value.isprintable() else None


def _answer(status: int, outcome: str, detail: str | None) -> Response:
    RECEIVED.labels(outcome).inc()
    content = {"status": "OK"} if detail is None else {"status": outcome.upper(), "detail": detail}
    return JSONResponse(content, status_code=status)
