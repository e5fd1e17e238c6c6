"""Operators, their sessions, and their tries, on each kind of database."""

import pytest
import sqlalchemy as sa

from avtal.store.accounts.accounts import AccountNotFound
from avtal.store.accounts.operators import (
    SESSION_LASTS,
    TRIES_MAX,
    TRIES_WITHIN,
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


def test_only_the_right_password_of_a_user_is_right(database: Database) -> None:
    with database.read() as session:
        kept = password_hash_of(session, "anna")

    assert is_right("a-password", kept)
    assert not is_right("another", kept)
    assert not is_right("a-password", None)


def test_a_session_is_known_until_it_ends_or_is_closed(database: Database) -> None:
    with database.write() as session:
        first, second = open_session(session, "anna", NOW), open_session(session, "anna", NOW)
        close_session(session, first)

    with database.read() as session:
        assert operator_of_session(session, first, NOW) is None
        assert operator_of_session(session, second, NOW) == Operator(account=ACCOUNT, user_name="anna")
        assert operator_of_session(session, second, NOW + SESSION_LASTS) is None


def test_sessions_that_are_over_are_cleared_away(database: Database) -> None:
    for now in (NOW, NOW + SESSION_LASTS):
        with database.write() as session:
            open_session(session, "anna", now)

    assert count(database, OperatorSessionRow) == 1


def test_tries_are_limited_for_each_user_and_old_ones_cleared_away(database: Database) -> None:
    for _ in range(TRIES_MAX):
        with database.write() as session:
            record_attempt(session, "nobody", NOW)

    with database.write() as session, pytest.raises(TooManyAttempts):
        record_attempt(session, "nobody", NOW + TRIES_WITHIN / 2)
    with database.write() as session:
        record_attempt(session, "anna", NOW)
        record_attempt(session, "nobody", NOW + TRIES_WITHIN)
    assert count(database, LoginAttemptRow) == 1


def test_an_operator_has_an_account(database: Database) -> None:
    with database.write() as session, pytest.raises(AccountNotFound):
        put_operator(session, "nobody", "karin", "a-password", NOW)
