"""Opens the installation that the doctor checks: the one of the environment, or the embedded stack's.

A check returns what is in order in a few words. It raises CheckFailed or CheckSkipped otherwise.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from temporalio.client import Client

from avtal.cli.settings import settings
from avtal.config import Settings
from avtal.embedded.addresses import Addresses, read_addresses
from avtal.embedded.secrets_file import load_secrets
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.temporal_admin.connection import connect

RESPONSE_TIMEOUT_SECONDS = 5.0


class CheckFailed(Exception):
    """`advice` says what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class CheckSkipped(Exception):
    """Something else must be fixed or set before this can be checked."""


@dataclass(frozen=True)
class Installation:
    settings: Settings
    database: Database | None
    database_error: str
    """Why there is no database."""
    client: Client
    """Connects with the first call."""
    http: httpx.AsyncClient
    web_url: str | None


@asynccontextmanager
async def opened_installation() -> AsyncIterator[Installation]:
    """Connects to nothing yet. Raises RuntimeError, ValueError for unusable settings of Temporal."""
    given = settings()
    stack = _embedded(given)
    if stack is not None:
        given = _of_stack(given)
    database, error = _database(given)
    async with httpx.AsyncClient(timeout=RESPONSE_TIMEOUT_SECONDS) as http:
        client = await _client(stack)
        url = (stack.web if stack else given.url) or None
        yield Installation(given, database, error, client, http, url.rstrip("/") if url else None)
    if database is not None:
        database.close()


def _embedded(given: Settings) -> Addresses | None:
    if given.url is not None or given.database_url is not None:
        return None
    try:
        return read_addresses(given.data_dir)
    except (OSError, ValueError):
        return None


def _of_stack(given: Settings) -> Settings:
    return given.model_copy(update={"secret_key": load_secrets(given.data_dir).cipher_key, "test_clock": True})


async def _client(stack: Addresses | None) -> Client:
    if stack is None:
        return await connect(lazy=True)
    return await Client.connect(stack.temporal, namespace=stack.temporal_namespace, lazy=True)


def _database(given: Settings) -> tuple[Database | None, str]:
    file = given.data_dir / "avtal.db"
    if given.database_url is None and not file.exists():
        return None, f"AVTAL_DATABASE_URL is not set, and no stack has run on {given.data_dir}"
    try:
        url = sa.make_url(given.store_url)
        if url.get_backend_name() == "postgresql":
            url = url.update_query_dict({"connect_timeout": f"{RESPONSE_TIMEOUT_SECONDS:.0f}"})
        return open_store(url.render_as_string(hide_password=False)), ""
    except (ArgumentError, ImportError) as error:
        return None, f"AVTAL_DATABASE_URL is invalid: {error}"
