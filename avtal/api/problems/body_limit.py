"""Refuses request bodies of the API above the limit, with or without a Content-Length."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avtal.api.problems.problems import TOO_LARGE, Problem, ProblemResponse

BODY_BYTES_MAX = 1 << 20
API_PREFIX = "/v1/"


class BodyLimit:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API_PREFIX):
            await self._app(scope, receive, send)
        elif _declared_length(scope) > BODY_BYTES_MAX:
            refusal = ProblemResponse(Problem(TOO_LARGE, f"a body has at most {BODY_BYTES_MAX} bytes"))
            await refusal(scope, receive, send)
        else:
            await self._app(scope, _limited(receive), send)


def _limited(receive: Receive) -> Receive:
    received = 0

    async def receive_within_limit() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_BYTES_MAX:
            # FastAPI passes on only its own exception while it reads a body.
            raise HTTPException(TOO_LARGE.status, f"a body has at most {BODY_BYTES_MAX} bytes")
        return message

    return receive_within_limit


def _declared_length(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isdecimal() else 0
