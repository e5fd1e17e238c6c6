"""One request as the handlers see it, and the adapter that makes each one a single transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from billogram_sandbox.core.documents import Json, load, require_unicode
from billogram_sandbox.core.envelope import NOTHING, Problem, answer, nothing
from billogram_sandbox.sandbox import Sandbox

TOLD_WITHIN_SECONDS = 5.0


@dataclass(frozen=True)
class Call:
    sandbox: Sandbox
    base: str  # under which address the caller reached us; links are made with it
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Json]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(sandbox: Sandbox, handler: Handler) -> Endpoint:
    async def run(request: Request) -> Response:
        path, query, headers = request.path_params, request.query_params, request.headers
        call = Call(sandbox, base(request), path, query, await _body(request), headers)
        sandbox.told_first.clear()
        with sandbox.database.transaction():
            result = handler(call)
        if sandbox.told_first:
            await _told(sandbox)
        return answer(result) if result is not NOTHING else nothing()

    return run


async def _told(sandbox: Sandbox) -> None:
    """Until the callbacks were tried that a fault brings before the answer."""
    waiters = [sandbox.awaited.setdefault(seq, asyncio.Event()) for seq in sandbox.told_first]
    with suppress(TimeoutError):
        async with asyncio.timeout(TOLD_WITHIN_SECONDS):
            for waiter in waiters:
                await waiter.wait()


def base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def _body(request: Request) -> Json:
    """Commands without arguments come with the text null, with {}, or with nothing."""
    raw = await request.body()
    try:
        body = load(raw) if raw else {}
        if b"\\u" in raw:
            require_unicode(body)
    except (ValueError, ArithmeticError, RecursionError):  # also numbers and nestings beyond anything that is meant
        raise Problem(400, "INVALID_PARAMETER", "the body is not JSON") from None
    if isinstance(body, dict):
        return body
    if body is None:
        return {}
    raise Problem(400, "INVALID_PARAMETER", "the body is not a JSON object")
