"""What the doctor looks at: one installation as its settings name it, or the embedded stack as its addresses do.

A check of it answers what is well in a few words, and raises Wrong or Unknown.
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
from avtal.embedded.secrets_file import secrets_of
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.temporal_admin.connection import connect

ANSWERS_WITHIN_SECONDS = 5.0


class Wrong(Exception):
    """A check found something; `advice` is what to do."""

    def __init__(self, words: str, advice: str) -> None:
        super().__init__(words)
        self.words = words
        self.advice = advice


class Unknown(Exception):
    """Something else must be mended, or set, before this can be checked."""


@dataclass(frozen=True)
class Installation:
    settings: Settings
    database: Database | None
    database_trouble: str
    """Why there is none, if there is none."""
    client: Client
    """Connects with the first call."""
    http: httpx.AsyncClient
    web_url: str | None


@asynccontextmanager
async def installation() -> AsyncIterator[Installation]:
    """Opens nothing yet: each check finds out for itself what answers. Raises RuntimeError, ValueError."""
    given = settings()
    stack = _embedded(given)
    if stack is not None:
        given = _of_stack(given)
    database, last_error = _database(given)
    async with httpx.AsyncClient(timeout=ANSWERS_WITHIN_SECONDS) as http:
        client = await _client(stack)
        url = (stack.web if stack else given.url) or None
        yield Installation(given, database, last_error, client, http, url.rstrip("/") if url else None)
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
    return given.model_copy(update={"secret_key": secrets_of(given.data_dir).cipher_key, "test_clock": True})


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
            url = url.update_query_dict({"connect_timeout": f"{ANSWERS_WITHIN_SECONDS:.0f}"})
        return open_store(url.render_as_string(hide_password=False)), ""
    except (ArgumentError, ImportError) as error:
        return None, f"AVTAL_DATABASE_URL can't be used: {error}"
