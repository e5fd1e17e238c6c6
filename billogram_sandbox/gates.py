"""What a request passes before its handler: counting, faults, and credentials; or being from this machine."""

from ipaddress import ip_address

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billogram_sandbox.auth import CHALLENGE
from billogram_sandbox.envelope import answer
from billogram_sandbox.sandbox import Sandbox


class ApiGate:
    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, misbehaviour = Request(scope), self._sandbox.misbehaviour
        self._sandbox.stats.count(request.method, scope["path"].removeprefix(scope["root_path"]))
        if fault := await misbehaviour.before():
            return await fault(scope, receive, send)
        if refusal := self._sandbox.credentials.refusal(request.headers.get("authorization")):
            headers = CHALLENGE if refusal.code == 401 else None
            return await answer(refusal.body, refusal.code, headers)(scope, receive, send)
        if fault := misbehaviour.after_store(request.method):
            await self._app(scope, receive, _nowhere)
            return await fault(scope, receive, send)
        if misbehaviour.never_answers():
            await self._app(scope, receive, _nowhere)
            return await _until_given_up(receive)
        return await self._app(scope, receive, send)


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


async def _nowhere(_: Message) -> None:
    """The real answer is made and lost."""


async def _until_given_up(receive: Receive) -> None:
    """The client hears nothing until it has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
