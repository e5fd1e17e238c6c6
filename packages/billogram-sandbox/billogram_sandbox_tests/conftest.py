"""Sandboxes for the tests: one without background tasks, one with them, and a receiver of callbacks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.browsing import browser
from billogram_sandbox_tests.client import KEY, USER, Client, Receiver

__all__ = ["browser"]

RETRIES = (0.02, 0.05, 30.0)


@asynccontextmanager
async def running(data: Path, retry_for: float = 60) -> AsyncIterator[Client]:
    """A sandbox with its background tasks, whose first retries come quickly."""
    app = create_app(Settings(data=data, user=USER, key=KEY, retry_delays=RETRIES, retry_for=retry_for))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as http,
    ):
        yield Client(http)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """Nothing happens here but what a request does."""
    app = create_app(Settings(data=tmp_path / "still.db", user=USER, key=KEY))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as http:
        yield Client(http)
    app.state.sandbox.database.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with await asyncio.start_server(receiver.handle, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks"
        yield receiver


@pytest.fixture
async def live(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Client]:
    """A sandbox with its background tasks, whose account is told to call the receiver."""
    async with running(tmp_path / "live.db") as client:
        await client.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s3cret"})
        yield client
