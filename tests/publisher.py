"""A publisher's backend: a real HTTP server that keeps what it is told, and answers as a test wants it to."""

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

Json = dict[str, Any]  # Any: JSON, looked into by the assertions
Answer = Callable[[Json], Awaitable[int]]


class Told:
    """One request: its headers, its raw body, and the body read."""

    def __init__(self, headers: dict[str, str], body: bytes, status: int) -> None:
        self.headers = headers
        self.body = body
        self.told: Json = json.loads(body)
        self.status = status
        self.seq: int = self.told["data"]["seq"]
        self.contract_id: str = self.told["data"]["contract_id"]


class Publisher:
    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: list[Told] = []
        self.answer: Answer = taken

    @property
    def accepted(self) -> list[Told]:
        return [one for one in self.heard if 200 <= one.status < 300]

    def seqs(self, contract_id: str | None = None) -> list[int]:
        """What it has taken, in the order of its coming."""
        return [one.seq for one in self.accepted if contract_id in (None, one.contract_id)]

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        status = await self.answer(json.loads(body))
        self.heard.append(Told(dict(request.headers), body, status))
        elsewhere = {"location": f"{self.url}/elsewhere"} if 300 <= status < 400 else {}
        return Response(status_code=status, headers=elsewhere)


async def taken(_told: Json) -> int:
    return 204


@asynccontextmanager
async def publisher() -> AsyncIterator[Publisher]:
    port = any_ports().web
    backend = Publisher(f"http://127.0.0.1:{port}/told")
    app = Starlette(routes=[Route("/{path:path}", backend.hear, methods=["POST", "GET"])])
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
