"""Fixtures: a sandbox without background tasks, one with them, a receiver of callbacks, and the machine's browser."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.browser import BROWSERS, PACKAGES, browser, installed_browser
from billogram_sandbox_tests.client import KEY, USER, Client, Receiver
from billogram_sandbox_tests.server import running

__all__ = ["browser"]

NO_BROWSER = f"the sandbox's browser tests need one of {', '.join(BROWSERS)}, and the packages {', '.join(PACKAGES)}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that were skipped without a browser."""
    skipped = [each.nodeid for each in terminalreporter.stats.get("skipped", []) if NO_BROWSER in str(each.longrepr)]
    if skipped:
        files = ", ".join(dict.fromkeys(name.partition("::")[0] for name in skipped))
        terminalreporter.write_line(f"NOT RUN, {NO_BROWSER}: {files}", yellow=True)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Skips without a browser; in CI it fails."""
    found = installed_browser()
    if found is None and os.environ.get("CI"):
        pytest.fail(NO_BROWSER)
    return found or pytest.skip(NO_BROWSER)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A sandbox without background tasks: nothing happens between requests."""
    app = create_app(Settings(data=tmp_path / "still.db", user=USER, key=KEY))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as http:
        yield Client(http, app)
    app.state.sandbox.database.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with await asyncio.start_server(receiver.handle, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks"
        yield receiver


@pytest.fixture
async def live(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Client]:
    """A sandbox with its background tasks, whose account sends callbacks to the receiver."""
    async with running(tmp_path / "live.db") as client:
        await client.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s3cret"})
        yield client
