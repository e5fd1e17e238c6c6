"""`POST /callbacks/billogram/{account}`: verifies the signature, stores the raw callback, responds. Applies no business
rule.

A repeated callback gets the same response as the first, and changes nothing.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import simplejson
from cachetools import TTLCache
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
ID_LENGTH_MAX = 100
THREADS = 2
"""One stores callbacks, the other reads keys. They are the receiver's own, so that responses do not wait for the relay
or the API, and a burst does not delay either."""
KEYS_CACHED_SECONDS = 10.0
"""A withdrawn key is accepted for no longer than this."""
KEYS_CACHED_MAX = 10_000
RECALLED_ID = ("payment_recall", "payables", 0, "billogram", "id")
"""Where a recall has the id of its first billogram."""
NOT_GENUINE = "the signature is missing or wrong, or the account has no callback key"
RECEIVED = Counter("avtal_callbacks_received", "Callbacks, by response", ["outcome"])

Keys = tuple[str, ...]


class CallbackKeys:
    """The callback keys of accounts, cached for a moment."""

    def __init__(self, database: Database, cipher: Cipher, threads: Executor) -> None:
        self._database = database
        self._cipher = cipher
        self._threads = threads
        self._cache: TTLCache[str, Keys] = TTLCache(KEYS_CACHED_MAX, KEYS_CACHED_SECONDS)

    def cached(self, account: str) -> Keys:
        return self._cache.get(account, ())

    async def read(self, account: str) -> Keys | None:
        """None if the account does not exist."""
        if not account.isprintable():  # not every database accepts a NUL as a parameter
            return None
        keys = await asyncio.get_running_loop().run_in_executor(self._threads, self._read, account)
        if keys is not None:
            self._cache[account] = keys
        return keys

    def _read(self, account: str) -> Keys | None:
        with self._database.read() as session:
            return callback_keys(session, self._cipher, account)


class Receiver:
    def __init__(self, database: Database, cipher: Cipher, clock: Clock, wake: Callable[[], None]) -> None:
        """`wake` is called when the inbox has a new callback."""
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="receiver")
        self._keys = CallbackKeys(database, cipher, threads)
        self._writes = GroupCommit(database, threads)
        self._clock = clock
        self._wake = wake

    async def receive(self, request: Request) -> Response:
        account, body = request.path_params["account"], await _limited_body(request)
        if body is None:
            return _response(413, "too_large", "a callback has at most 1 MiB")
        if not is_genuine(request.headers, body, self._keys.cached(account)):
            keys = await self._keys.read(account)  # the account may have a new one
            if keys is None:
                return _response(404, "unknown_account", "no such account")
            if not is_genuine(request.headers, body, keys):
                return _response(401, "bad_signature", NOT_GENUINE)
        content = _json_object(body)
        if content is None:
            return _response(400, "not_json", "the body is no JSON object")
        callback = NewCallback(account, *_ids(content, body), body.decode(), time.time())
        is_new = await self._writes.submit_batched(self._store, callback)
        if is_new:
            self._wake()
        return _response(200, "stored" if is_new else "repeated")

    def _store(self, session: Session, callbacks: Sequence[NewCallback]) -> Sequence[bool]:
        return store_callbacks(session, callbacks, self._clock.now())


def receiver_router(receiver: Receiver) -> APIRouter:
    router = APIRouter()
    # Starlette's own route: there is nothing that FastAPI could parse, validate, or document.
    router.add_route("/callbacks/billogram/{account}", receiver.receive, methods=["POST"], include_in_schema=False)
    return router


async def _limited_body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return body


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        content = simplejson.loads(body)
    except (ValueError, RecursionError):  # the second: nested too deeply
        return None
    return content if isinstance(content, dict) else None


def _ids(content: dict[str, object], body: bytes) -> tuple[str, str]:
    """The callback's id, or one derived from its body; and the id of its billogram, or else the callback's own."""
    callback_id = _id(content.get("callback_id")) or f"sha256:{hashlib.sha256(body).hexdigest()}"
    return callback_id, _id(_value(content, "billogram", "id")) or _id(_value(content, *RECALLED_ID)) or callback_id


def _value(content: object, *path: str | int) -> object:
    """The value at the path, or None."""
    for step in path:
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            return None
    return content


def _id(value: object) -> str | None:
    """Only printable characters, which every database can store."""
    return value if isinstance(value, str) and len(value) <= ID_LENGTH_MAX and value.isprintable() else None


def _response(status: int, outcome: str, detail: str | None = None) -> Response:
    RECEIVED.labels(outcome).inc()
    content = {"status": "OK"} if detail is None else {"status": outcome.upper(), "detail": detail}
    return JSONResponse(content, status_code=status)
