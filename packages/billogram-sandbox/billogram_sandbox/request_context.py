"""A request as handlers see it, and the endpoint that runs each handler in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from billogram_sandbox.core.documents import Json, load, require_unicode
from billogram_sandbox.core.envelope import NO_CONTENT, ApiError, json_response, no_content
from billogram_sandbox.sandbox import Sandbox

CALLBACK_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class RequestContext:
    sandbox: Sandbox
    base_url: str  # as the caller addressed the sandbox; links start with it
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[RequestContext], Json]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(sandbox: Sandbox, handler: Handler) -> Endpoint:
    async def run(request: Request) -> Response:
        path, query, headers = request.path_params, request.query_params, request.headers
        context = RequestContext(sandbox, base_url(request), path, query, await _body(request), headers)
        sandbox.callbacks_before_response.clear()
        with sandbox.database.transaction():
            result = handler(context)
        if sandbox.callbacks_before_response:
            await _wait_for_callbacks(sandbox)
        return json_response(result) if result is not NO_CONTENT else no_content()

    return run


async def _wait_for_callbacks(sandbox: Sandbox) -> None:
    """Waits for the first attempt of the callbacks that a fault sends before the response."""
    waiters = [sandbox.attempt_waiters.setdefault(seq, asyncio.Event()) for seq in sandbox.callbacks_before_response]
    with suppress(TimeoutError):
        async with asyncio.timeout(CALLBACK_WAIT_SECONDS):
            for waiter in waiters:
                await waiter.wait()


def base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def _body(request: Request) -> Json:
    """Commands without arguments have the body null, {}, or none."""
    raw = await request.body()
    try:
        body = load(raw) if raw else {}
        if b"\\u" in raw:
            require_unicode(body)
    except (ValueError, ArithmeticError, RecursionError):  # the last two: numbers too large, nesting too deep
        raise ApiError(400, "INVALID_PARAMETER", "the body is not JSON") from None
    if isinstance(body, dict):
        return body
    if body is None:
        return {}
    raise ApiError(400, "INVALID_PARAMETER", "the body is not a JSON object")
