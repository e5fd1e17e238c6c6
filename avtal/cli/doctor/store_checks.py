"""Checks of the settings and of the store."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from avtal.cli.doctor.installation import CheckFailed, CheckSkipped, Installation
from avtal.config import cipher_of
from avtal.store.accounts.accounts import PlatformCredentials, platform_credentials
from avtal.store.engine.cipher import SecretsUnreadable
from avtal.store.engine.migrate import SchemaState, schema_state
from avtal.store.tables import AccountRow

ZONE, SUMMER, SUMMER_OFFSET = "Europe/Stockholm", datetime(2026, 7, 1, 12, 0), timedelta(hours=2)  # noqa: DTZ001 - civil

WRONG_SCHEMAS = {
    SchemaState.NONE: ("the store has no schema", "run `avtal migrate`"),
    SchemaState.OLDER: ("the store is older than this code", "run `avtal migrate`"),
    SchemaState.NEWER: ("the store is newer than this code", "deploy the release that migrated it"),
    SchemaState.UNRELEASED: (
        "the store was written before the first release",
        "move the data folder aside, or take an empty database, and run `avtal migrate`",
    ),
}

T = TypeVar("T")


class Account(NamedTuple):
    name: str
    credentials: PlatformCredentials | None
    """None if its secrets can't be read."""


async def check_secret_key(installation: Installation) -> str:
    if installation.settings.secret_key is None:
        raise CheckFailed(
            "AVTAL_SECRET_KEY is not set", "set the key of this store; `avtal web` proposes one for a new store"
        )
    if not _has_valid_key(installation):
        raise CheckFailed("AVTAL_SECRET_KEY is not a Fernet key", "set the key that this store was written with")
    return "AVTAL_SECRET_KEY is a valid key"


async def check_secrets(installation: Installation) -> str:
    if not _has_valid_key(installation):
        raise CheckSkipped("there is no valid key")
    accounts = await accounts_of(installation)
    sealed = [account.name for account in accounts if account.credentials is None]
    if sealed:
        raise CheckFailed(
            f"AVTAL_SECRET_KEY does not open the secrets of {', '.join(sealed)}",
            "set the key that this store was written with",
        )
    return f"the key opens the secrets of all accounts ({len(accounts)})"


async def check_database(installation: Installation) -> str:
    if installation.database is None:
        raise CheckFailed(
            installation.database_error, "set AVTAL_DATABASE_URL, or start the embedded stack with `avtal up`"
        )
    try:
        await asyncio.to_thread(_read, installation, lambda session: session.execute(sa.select(1)))
    except SQLAlchemyError as error:
        raise CheckFailed(
            f"it does not respond: {_first_line(error)}", "check AVTAL_DATABASE_URL and the server"
        ) from error
    return (
        f"responds: {sa.make_url(installation.settings.store_url).set(query={}).render_as_string(hide_password=True)}"
    )


async def check_schema(installation: Installation) -> str:
    if installation.database is None:
        raise CheckSkipped("there is no database")
    try:
        state = await asyncio.to_thread(schema_state, installation.database)
    except SQLAlchemyError as error:
        raise CheckSkipped("the database does not respond") from error
    if state in WRONG_SCHEMAS:
        raise CheckFailed(*WRONG_SCHEMAS[state])
    return "the store has the newest schema"


async def check_test_clock(installation: Installation) -> str:
    is_embedded = installation.settings.store_url.startswith("sqlite")
    if installation.settings.test_clock and not is_embedded:
        raise CheckFailed(
            "AVTAL_TEST_CLOCK is on outside the embedded stack", "unset it for web and worker, and restart them"
        )
    return "on, as the embedded stack needs it" if installation.settings.test_clock else "off"


async def check_time_zones(_installation: Installation) -> str:
    try:
        summer = SUMMER.replace(tzinfo=ZoneInfo(ZONE)).utcoffset()
    except ZoneInfoNotFoundError as error:
        raise CheckFailed(f"{ZONE} is unknown", "install the package tzdata") from error
    if summer != SUMMER_OFFSET:
        raise CheckFailed(f"{ZONE} has the wrong summer time", "bring the system's time zone data up to date")
    return f"{ZONE} is known"


async def accounts_of(installation: Installation) -> list[Account]:
    """Raises CheckSkipped."""
    if installation.database is None:
        raise CheckSkipped("there is no database")
    try:
        return await asyncio.to_thread(_read, installation, lambda session: _accounts(installation, session))
    except SQLAlchemyError as error:
        raise CheckSkipped("the accounts can't be read") from error


def _accounts(installation: Installation, session: Session) -> list[Account]:
    return [
        _account(installation, session, name)
        for name in session.scalars(sa.select(AccountRow.account).order_by("account"))
    ]


def _account(installation: Installation, session: Session, name: str) -> Account:
    try:
        return Account(name, platform_credentials(session, cipher_of(installation.settings), name))
    except (SecretsUnreadable, ValueError):
        return Account(name, None)


def _read(installation: Installation, read: Callable[[Session], T]) -> T:
    assert installation.database is not None, "the caller has checked"
    with installation.database.read() as session:
        return read(session)


def _has_valid_key(installation: Installation) -> bool:
    try:
        cipher_of(installation.settings)
    except ValueError:
        return False
    return True


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error)).partition("\n")[0]
