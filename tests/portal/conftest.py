"""The portal in process, mounted as in the web process, on a real SQLite file with two accounts."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from avtal.api.problems.handlers import install_problems
from avtal.contracts.policy import Policy
from avtal.portal.app import portal_app
from avtal.portal.sessions import PREFIX, Portal
from avtal.store.accounts.accounts import PlatformCredentials, create_account
from avtal.store.accounts.operators import put_operator
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from billogram_sandbox_tests.browser import browser
from tests.portal.pages import PASSWORD, log_in
from tests.store.builders import ACCOUNT, KEY, NOW, new_store

__all__ = ["browser"]

OTHER = "other"


class FixedClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = new_store(f"sqlite:///{tmp_path / 'avtal.db'}")
    platform = PlatformCredentials(url="http://127.0.0.1:1", user="user", key="key")
    with database.write() as session:
        create_account(session, Cipher(KEY), OTHER, platform, Policy(), NOW, 1000)
        put_operator(session, ACCOUNT, "anna", PASSWORD, NOW)
        put_operator(session, OTHER, "olle", PASSWORD, NOW)
    yield database
    database.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def app(database: Database, clock: FixedClock) -> FastAPI:
    app = FastAPI()
    install_problems(app)
    app.mount(PREFIX, portal_app(Portal(database, clock, clock)))
    return app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor who is not logged in."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://avtal") as client:
        yield client


@pytest.fixture
async def anna(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """A logged-in operator of the account."""
    assert (await log_in(http)).status_code == 303
    return http


@pytest.fixture
async def olle(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A logged-in operator of the other account."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avtal") as client:
        assert (await log_in(client, "olle")).status_code == 303
        yield client
