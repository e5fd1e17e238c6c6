"""`POST /callbacks/billogram/{account}`: who may speak is checked, what was said is stored, then it is answered.

No rule is applied before the answer (WEB-3). A repeat is answered like the first and changes nothing.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import simplejson
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from sqlalchemy.orm import Session

from avtal.billogram.signature import is_genuine
from avtal.store.accounts.accounts import callback_keys
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import GroupCommit
from avtal.store.queues.inbox import NewCallback, store_callbacks

BODY_BYTES_MAX = 1024 * 1024
THREADS = 2
"""One stores, the other looks for keys. They are the receiver's own: an answer waits neither for the relay nor for the
API, nor do these wait for a burst."""
KEYS_KNOWN_SECONDS = 10.0
RECALLED = ("payment_recall", "payables", 0, "billogram", "id")
"""Where a recall names its billogram, or the first of several."""
NOT_GENUINE = "the signature is missing or wrong, or the account has no callback key"
RECEIVED = Counter("avtal_callbacks_received", "Callbacks by what became of them", ["outcome"])


@dataclass(frozen=True)
class Receiver:
    """`wake` tells the relay that there is something to do."""

    database: Database
    cipher: Cipher
    clock: Clock
    wake: Callable[[], None]

    def store(self, session: Session, callbacks: Sequence[NewCallback]) -> Sequence[bool]:
        return store_callbacks(session, callbacks, self.clock.now())


class KnownKeys:
    """The callback keys of accounts as the store had them a moment ago."""

    def __init__(self, receiver: Receiver, threads: Executor) -> None:
        self._receiver = receiver
        self._threads = threads
        self._known: dict[str, tuple[tuple[str, ...], float]] = {}

    def of(self, account: str) -> tuple[str, ...]:
        """None of them after ten seconds: a key that was withdrawn opens no longer."""
        keys, until = self._known.get(account, ((), 0.0))
        return keys if time.monotonic() < until else ()

    async def look_up(self, account: str) -> tuple[str, ...] | None:
        """None without such an account."""
        if not account.isprintable():  # such as a NUL: no account's name, and not every database may be asked
            return None
        keys = await asyncio.get_running_loop().run_in_executor(self._threads, self._read, account)
        if keys is not None:
            self._known[account] = keys, time.monotonic() + KEYS_KNOWN_SECONDS
        return keys

    def _read(self, account: str) -> tuple[str, ...] | None:
        with self._receiver.database.read() as session:
            return callback_keys(session, self._receiver.cipher, account)


def receiver_router(receiver: Receiver) -> APIRouter:
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="receiver")
    known = KnownKeys(receiver, threads)
    writes = GroupCommit(receiver.database, threads)

    async def receive(request: Request) -> Response:
        account, body = request.path_params["account"], await _limited_body(request)
        if body is None:
            return _answer(413, "too_large", "a callback has at most 1 MiB")
        if not is_genuine(request.headers, body, known.of(account)):
            keys = await known.look_up(account)  # it may be signed with a new one
            if keys is None:
                return _answer(404, "unknown_account", "no such account")
            if not is_genuine(request.headers, body, keys):
                return _answer(401, "bad_signature", NOT_GENUINE)
        told = _told(body)
        if told is None:
            return _answer(400, "not_json", "the body is no JSON object")
        callback = NewCallback(account, *_names(told, body), body.decode(), time.time())
        is_new = await writes.submit_batched(receiver.store, callback)
        if is_new:
            receiver.wake()
        return _answer(200, "stored" if is_new else "repeated", None)

    router = APIRouter()
    # Starlette's own route: there is nothing that FastAPI could read, check, or describe.
    router.add_route("/callbacks/billogram/{account}", receive, methods=["POST"], include_in_schema=False)
    return router


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
