"""A proxy in front of the sandbox. It runs a callback after Billogram has done a request and before the response."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from avtal.embedded.ports import any_ports

FORWARDED_HEADERS = ("authorization", "content-type")
Interrupt = Callable[[], Awaitable[None]]


@asynccontextmanager
async def proxy(sandbox_url: str, path: str, interrupt: Interrupt) -> AsyncIterator[str]:
    """The base URL of a Billogram that calls `interrupt` before it responds to a POST on `path`."""
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=30) as upstream:

        async def forward(request: Request) -> Response:
            headers = {name: request.headers[name] for name in FORWARDED_HEADERS if name in request.headers}
            url = httpx.URL(request.url.path, query=request.url.query.encode())
            response = await upstream.request(request.method, url, headers=headers, content=await request.body())
            if (request.method, request.url.path) == ("POST", path):
                await interrupt()
            return Response(response.content, response.status_code, {"content-type": response.headers["content-type"]})

        app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST", "PUT", "DELETE"])])
        port = any_ports().web
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - the server offers no event to wait for
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}/api/v2"
        server.should_exit = True
        await serving
