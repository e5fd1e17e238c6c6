"""Middleware: stats, faults, and credentials for the API; loopback only for the control plane.

the request              faults
is not carried out       down, status_503, status_429, html_error, json_error, html_ok, disconnect
is carried out           fail_after_store responds with a 500
                         timeout never responds; nor does late, which carries it out after the client's disconnect
                         disconnect_after_store and truncate close the connection before or within the response
"""

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billogram_sandbox.core.auth import CHALLENGE
from billogram_sandbox.core.envelope import html_response, json_response
from billogram_sandbox.core.faults import ApiFaults
from billogram_sandbox.sandbox import Sandbox

HANG_UP = "billogram_sandbox.hang_up"
"""The ASGI extension by which the server closes a connection without a response."""


def _unavailable(text: str, code: int, faults: ApiFaults) -> Response:
    after = None if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
    return html_response(text, code, after)


FAULT_RESPONSES: dict[str, Callable[[ApiFaults], Response]] = {
    "down": lambda faults: _unavailable("503 Service Temporarily Unavailable", 503, faults),
    "status_503": lambda faults: _unavailable("503 Service Temporarily Unavailable", 503, faults),
    "status_429": lambda faults: _unavailable("429 Too Many Requests", 429, faults),
    "html_error": lambda _: html_response("500 Internal Server Error", 500),
    "json_error": lambda _: json_response({"error": "Internal Server Error"}, 500),
    "html_ok": lambda _: html_response("We are back soon."),
}


class ApiMiddleware:
    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault_injector = self._sandbox.fault_injector
        path = scope["path"].removeprefix(scope["root_path"])
        fault = fault_injector.request_fault(self._sandbox.stats.count(scope["method"], path))
        if fault.delay_seconds or fault.name:
            receive = await _buffered(receive)
        if fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        if fault.name in FAULT_RESPONSES:
            return await FAULT_RESPONSES[fault.name](fault_injector.faults.api)(scope, receive, send)
        if fault.name == "disconnect":
            return await _hang_up(scope, receive)
        if refusal := self._sandbox.credentials.refusal(_authorization(scope["headers"])):
            headers = CHALLENGE if refusal.code == 401 else None
            return await json_response(refusal.body, refusal.code, headers)(scope, receive, send)
        if fault.name:
            return await self._lose_response(fault.name, scope, receive, send)
        return await self._app(scope, receive, send)

    async def _lose_response(self, fault: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Carries the request out and loses its response."""
        if fault == "late":
            buffered = await _buffered(receive)
            await _wait_for_disconnect(receive)
            return await self._app(scope, buffered, _discard)
        if fault == "truncate":
            await self._app(scope, receive, _truncated(send))
            return await _hang_up(scope, receive)
        await self._app(scope, receive, _discard)
        if fault == "fail_after_store":
            return await html_response("500 Internal Server Error", 500)(scope, receive, send)
        return await (_hang_up(scope, receive) if fault == "disconnect_after_store" else _wait_for_disconnect(receive))


class LoopbackMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope["client"]
        if client and not _is_loopback(client[0]):
            refused = json_response({"error": "the control plane answers this machine only"}, 403)
            return await refused(scope, receive, send)
        return await self._app(scope, receive, send)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name == b"authorization"), None)


async def _buffered(receive: Receive) -> Receive:
    """Reads the body first, so a client that disconnects cannot truncate it."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replay


async def _discard(_: Message) -> None:
    """Discards the response."""


def _truncated(send: Send) -> Send:
    """Sends the whole head and half of the body."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message["body"]
            message = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return cut


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Called as an ASGI application, there is no connection to close: then it raises."""
    connection = (scope.get("extensions") or {}).get(HANG_UP)
    if connection is None:
        raise ConnectionAbortedError("the sandbox closes the connection")
    connection["close"]()
    await _wait_for_disconnect(receive)


async def _wait_for_disconnect(receive: Receive) -> None:

    while (await receive())["type"] != "http.disconnect":
        pass
