"""What the doctor checks of settings and store. What is well, each check says in a few words."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from avtal.cli.doctor.installation import Installation, Unknown, Wrong
from avtal.config import cipher_of
from avtal.store.accounts.accounts import PlatformAccess, platform_access
from avtal.store.engine.cipher import SecretsUnreadable
from avtal.store.engine.migrate import SchemaState, schema_state
from avtal.store.tables import AccountRow

ZONE, SUMMER, SUMMER_OFFSET = "Europe/Stockholm", datetime(2026, 7, 1, 12, 0), timedelta(hours=2)  # noqa: DTZ001 - civil
SCHEMA_WORDS = {SchemaState.OLDER: "the store is older than this code", SchemaState.NONE: "the store has no schema"}

Answer = TypeVar("Answer")


class Account(NamedTuple):
    name: str
    access: PlatformAccess | None
    """None if its secrets can't be read."""


async def check_secret_key(place: Installation) -> str:
    if place.settings.secret_key is None:
        raise Wrong("AVTAL_SECRET_KEY is not set", "set the key of this store; for a new one `avtal web` proposes it")
    if not _has_valid_key(place):
        raise Wrong("AVTAL_SECRET_KEY is no Fernet key", "set the key that this store was written with")
    return "AVTAL_SECRET_KEY is a valid key"


async def check_secrets(place: Installation) -> str:
    if not _has_valid_key(place):
        raise Unknown("there is no valid key")
    accounts = await accounts_of(place)
    sealed = [account.name for account in accounts if account.access is None]
    if sealed:
        raise Wrong(
            f"AVTAL_SECRET_KEY does not open the secrets of {', '.join(sealed)}",
            "set the key that this store was written with",
        )
    return f"the key opens the secrets of all accounts ({len(accounts)})"


async def check_database(place: Installation) -> str:
    if place.database is None:
        raise Wrong(place.database_trouble, "set AVTAL_DATABASE_URL, or start the embedded stack with `avtal up`")
    try:
        await asyncio.to_thread(_read, place, lambda session: session.execute(sa.select(1)))
    except SQLAlchemyError as error:
        raise Wrong(f"it does not answer: {_first_line(error)}", "check AVTAL_DATABASE_URL and the server") from error
    return f"answers: {sa.make_url(place.settings.store_url).set(query={}).render_as_string(hide_password=True)}"


async def check_schema(place: Installation) -> str:
    if place.database is None:
        raise Unknown("there is no database")
    try:
        state = await asyncio.to_thread(schema_state, place.database)
    except SQLAlchemyError as error:
        raise Unknown("the database does not answer") from error
    if state is SchemaState.NEWER:
        raise Wrong("the store is newer than this code", "deploy the release that migrated it")
    if state is not SchemaState.NEWEST:
        raise Wrong(
            "the store is older than this code" if state is SchemaState.OLDER else "empty", "run `avtal migrate`"
        )
    return "the store has the newest schema"


async def check_test_clock(place: Installation) -> str:
    is_embedded = place.settings.store_url.startswith("sqlite")
    if place.settings.test_clock and not is_embedded:
        raise Wrong(
            "AVTAL_TEST_CLOCK is on outside the embedded stack", "unset it for web and worker, and restart them"
        )
    return "on, as the embedded stack needs it" if place.settings.test_clock else "off"


async def check_time_zones(_place: Installation) -> str:
    try:
        summer = SUMMER.replace(tzinfo=ZoneInfo(ZONE)).utcoffset()
    except ZoneInfoNotFoundError as error:
        raise Wrong(f"{ZONE} is not known", "install the package tzdata") from error
    if summer != SUMMER_OFFSET:
        raise Wrong(f"{ZONE} has the wrong summer time", "bring the system's time zone data up to date")
    return f"{ZONE} is known"


async def accounts_of(place: Installation) -> list[Account]:
    """Raises Unknown."""
    if place.database is None:
        raise Unknown("there is no database")
    try:
        return await asyncio.to_thread(_read, place, lambda session: _accounts(place, session))
    except SQLAlchemyError as error:
        raise Unknown("the accounts can't be read") from error


def _accounts(place: Installation, session: Session) -> list[Account]:
    return [
        _account(place, session, name) for name in session.scalars(sa.select(AccountRow.account).order_by("account"))
    ]


def _account(place: Installation, session: Session, name: str) -> Account:
    try:
        return Account(name, platform_access(session, cipher_of(place.settings), name))
    except (SecretsUnreadable, ValueError):
        return Account(name, None)


def _read(place: Installation, read: Callable[[Session], Answer]) -> Answer:
    assert place.database is not None, "the caller looked"
    with place.database.read() as session:
        return read(session)


def _has_valid_key(place: Installation) -> bool:
    try:
        cipher_of(place.settings)
    except ValueError:
        return False
    return True


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error)).partition("\n")[0]
