"""What a request passes before its handler: counting, faults, and credentials; or being from this machine.

nothing is carried out      down, status_503, status_429, html_error, json_error, html_ok, disconnect
it is, and then             fail_after_store   answers with a 500
                            timeout            never answers; nor does late, which is carried out once the
                                               client has given up
                            disconnect_after_store, truncate   hang up before, or in the middle of, the answer
"""

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billogram_sandbox.api.connection import HANG_UP
from billogram_sandbox.core.auth import CHALLENGE
from billogram_sandbox.core.envelope import answer, html
from billogram_sandbox.core.faults import ApiFaults
from billogram_sandbox.sandbox import Sandbox


def _busy(text: str, code: int, faults: ApiFaults) -> Response:
    after = None if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
    return html(text, code, after)


REFUSALS: dict[str, Callable[[ApiFaults], Response]] = {
    "down": lambda faults: _busy("503 Service Temporarily Unavailable", 503, faults),
    "status_503": lambda faults: _busy("503 Service Temporarily Unavailable", 503, faults),
    "status_429": lambda faults: _busy("429 Too Many Requests", 429, faults),
    "html_error": lambda _: html("500 Internal Server Error", 500),
    "json_error": lambda _: answer({"error": "Internal Server Error"}, 500),
    "html_ok": lambda _: html("We are back soon."),
}


class ApiGate:
    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        misbehaviour = self._sandbox.misbehaviour
        path = scope["path"].removeprefix(scope["root_path"])
        ordeal = misbehaviour.ordeal(self._sandbox.stats.count(scope["method"], path))
        if ordeal.delay or ordeal.strike:
            receive = await _with_whole_body(receive)
        if ordeal.delay:
            await asyncio.sleep(ordeal.delay)
        if ordeal.strike in REFUSALS:
            return await REFUSALS[ordeal.strike](misbehaviour.faults.api)(scope, receive, send)
        if ordeal.strike == "disconnect":
            return await _hang_up(scope, receive)
        if refusal := self._sandbox.credentials.refusal(_authorization(scope["headers"])):
            headers = CHALLENGE if refusal.code == 401 else None
            return await answer(refusal.body, refusal.code, headers)(scope, receive, send)
        if ordeal.strike:
            return await self._lose(ordeal.strike, scope, receive, send)
        return await self._app(scope, receive, send)

    async def _lose(self, strike: str, scope: Scope, receive: Receive, send: Send) -> None:
        """It is carried out, and its answer gets lost."""
        if strike == "late":
            again = await _with_whole_body(receive)
            await _until_given_up(receive)
            return await self._app(scope, again, _nowhere)
        if strike == "truncate":
            await self._app(scope, receive, _half(send))
            return await _hang_up(scope, receive)
        await self._app(scope, receive, _nowhere)
        if strike == "fail_after_store":
            return await html("500 Internal Server Error", 500)(scope, receive, send)
        return await (_hang_up(scope, receive) if strike == "disconnect_after_store" else _until_given_up(receive))


class LoopbackGate:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope["client"]
        if client and not _is_loopback(client[0]):
            refused = answer({"error": "the control plane answers this machine only"}, 403)
            return await refused(scope, receive, send)
        return await self._app(scope, receive, send)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name == b"authorization"), None)


async def _with_whole_body(receive: Receive) -> Receive:
    """The body is here, so that a client that gives up meanwhile changes nothing about it."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return again


async def _nowhere(_: Message) -> None:
    """The real answer is made and lost."""


def _half(send: Send) -> Send:
    """The answer's head is whole, and promises more than comes."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message["body"]
            message = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return cut


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Without a connection, as where the application is called in one process, that is an error."""
    connection = (scope.get("extensions") or {}).get(HANG_UP)
    if connection is None:
        raise ConnectionAbortedError("the sandbox hangs up")
    connection["now"]()
    await _until_given_up(receive)


async def _until_given_up(receive: Receive) -> None:
    """The client hears nothing until it has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
