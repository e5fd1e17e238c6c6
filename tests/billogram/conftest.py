"""The sandbox over HTTP, in this process, on a free port of the loopback. Empty for each test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from avtal.billogram.transport import http_client
from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, USER, Client
from tests.billogram.builders import Platform, client_at


class Server(uvicorn.Server):
    """`ready` is set when it accepts requests."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1))
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:  # else asyncio leaves Nagle's delay on
        listening.bind(("127.0.0.1", 0))
        server = Server(app)
        running = asyncio.create_task(server.serve([listening]))
        await server.ready.wait()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await running


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as http:
        yield http


@pytest.fixture(scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory, http: httpx.AsyncClient) -> AsyncIterator[Platform]:
    """Its account has no callback URL, so it sends no callbacks."""
    app = create_app(Settings(data=tmp_path_factory.mktemp("sandbox") / "sandbox.db", user=USER, key=KEY))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as other:
        yield Platform(url, http, client_at(url, http), Client(other))


@pytest.fixture
async def platform(sandbox: Platform) -> Platform:
    await sandbox.other.control("POST", "/reset")
    return sandbox
