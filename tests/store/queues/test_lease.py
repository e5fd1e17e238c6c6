"""Leases of queued rows, here of callbacks; all times are set by the tests."""

import pytest

from avtal.store.engine.database import Database
from avtal.store.queues.inbox import (
    NEW,
    StoredCallback,
    callback_backlog,
    claim_callbacks,
    defer_callback,
    failing_callbacks,
    release_callbacks,
)
from avtal.store.queues.lease import BACKOFF_SECONDS_MAX, LEASE_SECONDS, backoff_seconds
from tests.store.builders import ACCOUNT, new_callback

STORED_AT = 1000.0


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        new_callback(session, "cb-1", "of one billogram", stored_at=STORED_AT)
        new_callback(session, "cb-2", "of one billogram", stored_at=STORED_AT)
        new_callback(session, "cb-3", "of another", stored_at=STORED_AT)
    return database


def claim(database: Database, now: float = STORED_AT) -> dict[str, StoredCallback]:
    with database.write() as session:
        return {one.callback_id: one for one in claim_callbacks(session, now, 10)}


def test_leased_row_is_claimed_again_after_its_lease(database: Database) -> None:
    assert [*claim(database)] == ["cb-1", "cb-3"]
    assert not claim(database, STORED_AT + LEASE_SECONDS - 1)
    assert [*claim(database, STORED_AT + LEASE_SECONDS)] == ["cb-1", "cb-3"]


def test_released_row_is_claimed_again_immediately(database: Database) -> None:
    leased = claim(database)
    with database.write() as session:
        release_callbacks(session, [leased["cb-1"]])

    assert [*claim(database)] == ["cb-1"]


def test_lost_lease_releases_nothing(database: Database) -> None:
    lost = claim(database)
    claim(database, STORED_AT + LEASE_SECONDS)
    with database.write() as session:
        release_callbacks(session, lost.values())

    assert not claim(database, STORED_AT + LEASE_SECONDS)


def test_deferred_row_counts_its_attempt_and_waits(database: Database) -> None:
    leased = claim(database)
    with database.write() as session:
        defer_callback(session, leased["cb-3"], STORED_AT + 5, "HTTP 503")
    with database.read() as session:
        [failing] = failing_callbacks(session, ACCOUNT)

    assert (failing.callback_id, failing.state, failing.attempts, failing.last_error) == ("cb-3", NEW, 1, "HTTP 503")
    assert not claim(database, STORED_AT + 4)
    assert [*claim(database, STORED_AT + 5)] == ["cb-3"]


def test_backlog_counts_due_rows_and_the_age_of_the_oldest(database: Database) -> None:
    with database.read() as session:
        assert callback_backlog(session, STORED_AT - 1) == (0, 0.0)
        assert callback_backlog(session, STORED_AT + 7) == (3, 7.0)


def test_backoff_doubles_up_to_its_limit() -> None:
    assert [backoff_seconds(attempts) for attempts in (0, 1, 2, 8, 9, 1000)] == [
        1,
        2,
        4,
        256,
        *[BACKOFF_SECONDS_MAX] * 2,
    ]
