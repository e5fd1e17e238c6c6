"""Running sandboxes for the tests: over ASGI with background tasks, behind real HTTP, and as a process."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette

from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, USER, Client

MODULE = (sys.executable, "-m", "billogram_sandbox")
RETRY_DELAYS_SECONDS = (0.02, 0.05, 30.0)


@asynccontextmanager
async def running(data: Path, retry_seconds_max: float = 60) -> AsyncIterator[Client]:
    """A sandbox with its background tasks and short retry delays."""
    settings = Settings(data, USER, KEY, RETRY_DELAYS_SECONDS, retry_seconds_max)
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as http,
    ):
        yield Client(http, app)


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The app behind real HTTP on a free port; yields its URL."""
    # The protocol is named: asyncio sets TCP_NODELAY only on sockets that it knows to be TCP.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # requests wait from here on, so the server need not be awaited
        config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await running


@asynccontextmanager
async def sandbox_process(data: Path, user: str = USER, key: str = KEY) -> AsyncIterator[tuple[Client, Process]]:
    arguments = ("--port", "0", "--data", str(data), "--user", user, "--key", key)
    process = await asyncio.create_subprocess_exec(*MODULE, *arguments, stdout=PIPE)
    assert process.stdout
    try:
        address = (await process.stdout.readline()).decode().split()[-1]
        async with httpx.AsyncClient(base_url=address) as http:
            yield Client(http), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
