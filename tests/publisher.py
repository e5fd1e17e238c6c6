"""A publisher's backend: a real HTTP server that stores what it receives, and responds as a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from avtal.embedded.ports import any_ports

Json = dict[str, Any]  # Any: JSON
Respond = Callable[[Json], Awaitable[int]]


class ReceivedEvent:
    """One request, with the status that it got."""

    def __init__(self, headers: dict[str, str], body: bytes, status: int) -> None:
        self.headers = headers
        self.body = body
        self.payload: Json = json.loads(body)
        self.status = status
        self.seq: int = self.payload["data"]["seq"]
        self.contract_id: str = self.payload["data"]["contract_id"]


class Publisher:
    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[ReceivedEvent] = []
        self.respond: Respond = accept

    @property
    def accepted(self) -> list[ReceivedEvent]:
        return [event for event in self.received if 200 <= event.status < 300]

    def seqs(self, contract_id: str | None = None) -> list[int]:
        """The numbers of the accepted events, in order of arrival."""
        return [event.seq for event in self.accepted if contract_id in (None, event.contract_id)]

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        status = await self.respond(json.loads(body))
        self.received.append(ReceivedEvent(dict(request.headers), body, status))
        headers = {"location": f"{self.url}/elsewhere"} if 300 <= status < 400 else {}
        return Response(status_code=status, headers=headers)


async def accept(_payload: Json) -> int:
    return 204


@asynccontextmanager
async def publisher() -> AsyncIterator[Publisher]:
    port = any_ports().web
    backend = Publisher(f"http://127.0.0.1:{port}/events")
    app = Starlette(routes=[Route("/{path:path}", backend.receive, methods=["POST", "GET"])])
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server offers no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield backend
    finally:
        server.should_exit = True
        await serving
