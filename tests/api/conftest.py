"""The API in process, on a real SQLite file, with two accounts and without a Temporal server."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from avtal.api import index_page
from avtal.api.authentication import Api
from avtal.api.health import health_router
from avtal.api.problems.handlers import install_problems
from avtal.api.router import api_router
from avtal.contracts.policy import Policy
from avtal.store.accounts.accounts import PlatformCredentials, create_account, new_api_key
from avtal.store.engine.cipher import Cipher, new_cipher_key
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.tables import Table
from starter.commands import Commands
from tests.api.caller import ACCOUNT, Caller

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


class FixedClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'avtal.db'}")
    Table.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="session")
def wakes() -> list[None]:
    """One entry for each wake of the relay."""
    return []


@pytest.fixture(scope="session")
async def app(database: Database, clock: FixedClock, wakes: list[None]) -> FastAPI:
    """Once per session: building its routes takes longer than most tests."""
    client = await Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True)
    app = FastAPI(title="Avtal")
    install_problems(app)
    commands = Commands(client, database, clock)
    app.include_router(api_router(Api(database, clock, commands, lambda: wakes.append(None), Cipher(new_cipher_key()))))
    app.include_router(health_router({}))
    app.include_router(index_page.router)
    return app


@pytest.fixture(autouse=True)
def empty_store(database: Database, clock: FixedClock, wakes: list[None]) -> None:
    clock.at = NOW
    wakes.clear()
    with database.write() as session:
        for table in reversed(Table.metadata.sorted_tables):
            session.execute(table.delete())


@pytest.fixture
def keys(database: Database, empty_store: None) -> dict[str, str]:  # noqa: ARG001 - the store is emptied first
    """The API key of each account."""
    cipher = Cipher(new_cipher_key())
    platform = PlatformCredentials(url="http://billogram.invalid", user="1234-abcdefgh", key="0" * 32)
    keys = {}
    with database.write() as session:
        for account in (ACCOUNT, "other"):
            create_account(session, cipher, account, platform, Policy(), NOW, 1)
            keys[account] = new_api_key(session, account, NOW)
    return keys


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avtal") as client:
        yield client


@pytest.fixture
def caller(http: httpx.AsyncClient, keys: dict[str, str]) -> Caller:
    return Caller(http, keys[ACCOUNT])


@pytest.fixture
def other(http: httpx.AsyncClient, keys: dict[str, str]) -> Caller:
    """Another account's caller."""
    return Caller(http, keys["other"])
