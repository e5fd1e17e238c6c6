"""Operators, their sessions, and login attempts, on each kind of database."""

import pytest
import sqlalchemy as sa

from avtal.store.accounts.accounts import AccountNotFound
from avtal.store.accounts.operators import (
    ATTEMPTS_MAX,
    ATTEMPTS_WITHIN,
    SESSION_DURATION,
    Operator,
    TooManyAttempts,
    close_session,
    open_session,
    operator_of_session,
    password_hash_of,
    put_operator,
    record_attempt,
)
from avtal.store.accounts.passwords import is_right
from avtal.store.engine.database import Database
from avtal.store.tables import LoginAttemptRow, OperatorSessionRow
from tests.store.builders import ACCOUNT, NOW


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        put_operator(session, ACCOUNT, "anna", "a-password", NOW)
    return database


def count(database: Database, table: type[LoginAttemptRow | OperatorSessionRow]) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_only_the_operators_own_password_is_right(database: Database) -> None:
    with database.read() as session:
        stored = password_hash_of(session, "anna")

    assert is_right("a-password", stored)
    assert not is_right("another", stored)
    assert not is_right("a-password", None)


def test_session_is_valid_until_it_expires_or_is_closed(database: Database) -> None:
    with database.write() as session:
        first, second = open_session(session, "anna", NOW), open_session(session, "anna", NOW)
        close_session(session, first)

    with database.read() as session:
        assert operator_of_session(session, first, NOW) is None
        assert operator_of_session(session, second, NOW) == Operator(account=ACCOUNT, user_name="anna")
        assert operator_of_session(session, second, NOW + SESSION_DURATION) is None


def test_expired_sessions_are_deleted(database: Database) -> None:
    for now in (NOW, NOW + SESSION_DURATION):
        with database.write() as session:
            open_session(session, "anna", now)

    assert count(database, OperatorSessionRow) == 1


def test_login_attempts_are_limited_per_user_and_expire(database: Database) -> None:
    for _ in range(ATTEMPTS_MAX):
        with database.write() as session:
            record_attempt(session, "nobody", NOW)

    with database.write() as session, pytest.raises(TooManyAttempts):
        record_attempt(session, "nobody", NOW + ATTEMPTS_WITHIN / 2)
    with database.write() as session:
        record_attempt(session, "anna", NOW)
        record_attempt(session, "nobody", NOW + ATTEMPTS_WITHIN)
    assert count(database, LoginAttemptRow) == 1


def test_operator_needs_an_account(database: Database) -> None:
    with database.write() as session, pytest.raises(AccountNotFound):
        put_operator(session, "nobody", "karin", "a-password", NOW)
