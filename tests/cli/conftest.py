"""Runs commands in process against the real API on a real port, without Temporal."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from avtal.api.authentication import Api
from avtal.api.problems.handlers import install_problems
from avtal.api.router import api_router
from avtal.contracts.bills.bill import Parked, ParkedReason
from avtal.contracts.periods import Interval, IntervalUnit, period
from avtal.contracts.policy import Policy
from avtal.store.accounts.accounts import PlatformCredentials, create_account, new_api_key
from avtal.store.billing.bills import park_bill
from avtal.store.engine.cipher import Cipher, new_cipher_key
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.tables import Table
from starter.commands import Commands
from tests.billogram.conftest import http, platform, sandbox
from tests.store.builders import start_bill

__all__ = ["http", "platform", "sandbox"]

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
ACCOUNT = "demo"


class FixedClock(Clock):
    def now(self) -> datetime:
        return NOW


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, without settings from outside."""
    for name in ("AVTAL_URL", "AVTAL_API_KEY", "AVTAL_DATABASE_URL", "AVTAL_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AVTAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def database(data_dir: Path) -> Iterator[Database]:
    """The store that the commands use."""
    data_dir.mkdir()
    yield from _new_store(data_dir)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The store behind the API."""
    yield from _new_store(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def port(served: Database) -> Iterator[int]:
    """The API, served once for all tests."""
    client = asyncio.run(Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True))
    app = FastAPI()
    install_problems(app)
    clock = FixedClock()
    app.include_router(
        api_router(Api(served, clock, Commands(client, served, clock), lambda: None, Cipher(new_cipher_key())))
    )
    with serving(app) as port:
        yield port


@pytest.fixture
def url(served: Database, port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The API with one account, and the environment that names it to the commands."""
    platform = PlatformCredentials(url="http://billogram.invalid", user="1234-abcdefgh", key="0" * 32)
    with served.write() as session:
        for table in reversed(Table.metadata.sorted_tables):
            session.execute(table.delete())
        create_account(session, Cipher(new_cipher_key()), ACCOUNT, platform, Policy(), NOW, 1)
        monkeypatch.setenv("AVTAL_API_KEY", new_api_key(session, ACCOUNT, NOW))
    monkeypatch.setenv("AVTAL_URL", f"http://127.0.0.1:{port}")
    return f"http://127.0.0.1:{port}"


def _new_store(folder: Path) -> Iterator[Database]:
    database = open_store(f"sqlite:///{folder / 'avtal.db'}")
    Table.metadata.create_all(database.engine)
    yield database
    database.close()


@contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    """A server in a thread, on a free port; it sends no Date header."""
    config = uvicorn.Config(
        app, port=0, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1, date_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def parked(database: Database, contract_id: str) -> str:
    """Period 0's bill of a contract, parked by the platform's refusal; its id."""
    with database.write() as session:
        month = period(date(2026, 11, 21), Interval(unit=IntervalUnit.MONTH), 0)
        bill = start_bill(session, ACCOUNT, contract_id, month, 0, NOW)
        park_bill(session, bill, Parked(reason=ParkedReason.REFUSED, field="address.zipcode"), "not a zip code")
        return bill.bill_id
