"""Deliveries: in order per contract, retried for 72 hours, then dead, and replayed. The tests set all times."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest

from avtal.contracts.bills.bill import FactType
from avtal.contracts.policy import Policy
from avtal.store.accounts.accounts import PlatformCredentials, create_account
from avtal.store.accounts.endpoints import OLD_SECRET_VALID_SECONDS, Endpoint, endpoint, remove_endpoint, set_endpoint
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.facts import append_facts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.feed.events import events_after
from avtal.store.queues.deliveries import (
    GIVE_UP_AFTER_SECONDS,
    LEASE_SECONDS,
    PER_ENDPOINT_MAX,
    RETRY_AFTER_SECONDS,
    Delivery,
    NoEndpoint,
    claim_deliveries,
    fail_delivery,
    finish_delivery,
    queue_deliveries,
    replay,
)
from avtal.store.tables import DeliveryRow
from tests.store.builders import ACCOUNT, KEY, NOW, fact, new_bill, new_contract

CIPHER = Cipher(KEY)
URL = "https://publisher.example/events"
START = 1_000_000.0
PER_CONTRACT = 3  # contract.sold, access.turned_on, bill.sent


def put(database: Database, *, url: str = URL, now: float = START, new_secret: bool = False) -> str | None:
    with database.write() as session:
        return set_endpoint(session, CIPHER, ACCOUNT, url, now, new_secret=new_secret)


def add_events(database: Database, *contract_ids: str) -> None:
    """Three events of each contract."""
    for contract_id in contract_ids:
        with database.write() as session:
            new_contract(session, contract_id)
        with database.write() as session:
            new_bill(session, contract_id).made = True
        with database.write() as session:
            bill = lock_bill(session, ACCOUNT, f"{contract_id}:0:r0")
            assert bill is not None
            append_facts(session, bill, [fact(FactType.DISPATCHED, uuid="d")])


def claim(database: Database, now: float = START, limit: int = 100, busy: int = 0) -> Sequence[Delivery]:
    with database.write() as session:
        queue_deliveries(session, now)
        return claim_deliveries(session, CIPHER, now, limit, {ACCOUNT: busy})


def seqs(database: Database, now: float = START, limit: int = 100, busy: int = 0) -> list[int]:
    return sorted(delivery.event.seq for delivery in claim(database, now, limit, busy))


def deliver(database: Database, *numbers: int) -> None:
    for number in numbers:
        with database.write() as session:
            finish_delivery(session, ACCOUNT, number)


def fail(database: Database, seq: int, now: float, last_error: str = "HTTP 500") -> bool:
    with database.write() as session:
        return fail_delivery(session, ACCOUNT, seq, last_error, now, 0.0)


def state(database: Database) -> Endpoint:
    with database.read() as session:
        found = endpoint(session, ACCOUNT)
    assert found is not None
    return found


def test_endpoint_receives_events_from_its_creation_on(database: Database) -> None:
    add_events(database, "c-1")
    put(database)
    add_events(database, "c-2")

    assert seqs(database) == [4]
    assert state(database).waiting == PER_CONTRACT


def test_failed_delivery_blocks_only_its_own_contract(database: Database) -> None:
    put(database)
    add_events(database, "c-1", "c-2")
    first = seqs(database)
    fail(database, 1, START)
    deliver(database, 4)

    assert first == [1, 4]
    assert seqs(database, START + 1) == [5]
    assert seqs(database, START + 5) == [1]
    deliver(database, 1)
    assert seqs(database, START + 5) == [2]


def test_leased_delivery_is_free_after_its_lease(database: Database) -> None:
    put(database)
    add_events(database, "c-1")

    assert seqs(database) == [1]
    assert seqs(database, START + LEASE_SECONDS - 1) == []
    assert seqs(database, START + LEASE_SECONDS) == [1]


def test_endpoint_has_a_limit_of_deliveries_in_flight(database: Database) -> None:
    put(database)
    add_events(database, *(f"c-{number}" for number in range(6)))

    assert len(seqs(database, busy=PER_ENDPOINT_MAX - 1)) == 1
    assert seqs(database, busy=PER_ENDPOINT_MAX) == []
    assert len(seqs(database)) == PER_ENDPOINT_MAX


def test_backoff_grows_and_the_last_attempt_is_after_72_hours(database: Database) -> None:
    put(database)
    add_events(database, "c-1")
    attempts: list[float] = []
    now, is_dead = START, False
    while not is_dead:
        assert seqs(database, now) == [1]
        attempts.append(now)
        is_dead = fail(database, 1, now)
        now = next_attempt_at(database, 1)
    waits = [later - earlier for earlier, later in pairwise(attempts)]

    assert waits[:-1] == [*RETRY_AFTER_SECONDS[: len(waits) - 1]]
    assert attempts[-1] == START + GIVE_UP_AFTER_SECONDS
    assert state(database).dead == (1,)
    assert (state(database).waiting, state(database).oldest_waiting_seq) == (PER_CONTRACT - 1, 2)
    assert seqs(database, now) == [2]


def next_attempt_at(database: Database, seq: int) -> float:
    with database.read() as session:
        return session.get_one(DeliveryRow, (ACCOUNT, seq)).next_attempt_at


def test_delivery_blocked_for_72_hours_gets_one_attempt(database: Database) -> None:
    put(database)
    add_events(database, "c-1")
    claim(database)
    late = START + GIVE_UP_AFTER_SECONDS + 1
    fail(database, 1, late)

    assert seqs(database, late) == [2]
    assert fail(database, 2, late)
    assert state(database).dead == (1, 2)


def test_late_failure_does_not_undo_a_success(database: Database) -> None:
    put(database)
    add_events(database, "c-1")
    claim(database)
    deliver(database, 1)
    fail(database, 1, START)

    assert (state(database).delivered_seq, state(database).oldest_waiting_seq) == (1, 2)


def test_delivered_and_dead_events_are_replayed_in_order(database: Database) -> None:
    put(database)
    add_events(database, "c-1", "c-2")
    claim(database)
    deliver(database, 1, 2, 3, 4)
    claim(database)
    fail(database, 5, START + GIVE_UP_AFTER_SECONDS)
    dead = state(database).dead
    with database.write() as session:
        of_one = replay(session, ACCOUNT, 1, "c-1", START)

    assert (dead, of_one) == ((5,), (2, None))
    assert seqs(database) == [2, 6]
    with database.write() as session:
        of_all = replay(session, ACCOUNT, 0, None, START)
    assert (of_all, state(database).dead) == ((6, None), ())
    assert seqs(database, START + LEASE_SECONDS) == [1, 4]


def test_long_replay_is_paged(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avtal.store.queues.deliveries.REPLAY_PAGE_MAX", 4)
    put(database)
    add_events(database, "c-1", "c-2")
    claim(database)
    with database.write() as session:
        first = replay(session, ACCOUNT, 0, None, START)
        rest = replay(session, ACCOUNT, 4, None, START)

    assert (first, rest) == ((4, 4), (2, None))


def test_replay_does_not_duplicate_unqueued_events(database: Database) -> None:
    put(database)
    add_events(database, "c-1")
    with database.write() as session:
        assert replay(session, ACCOUNT, 0, None, START) == (0, None)

    assert seqs(database) == [1]


def test_both_secrets_sign_for_a_day_after_a_rotation(database: Database) -> None:
    first = put(database)
    again = put(database)
    second = put(database, new_secret=True)
    add_events(database, "c-1")
    (during,) = claim(database)
    (after,) = claim(database, START + OLD_SECRET_VALID_SECONDS)
    third = put(database, new_secret=True, now=START + OLD_SECRET_VALID_SECONDS)
    (rotated,) = claim(database, START + OLD_SECRET_VALID_SECONDS + LEASE_SECONDS)

    assert again is None
    assert during.secrets == (second, first)
    assert after.secrets == (second,)
    assert rotated.secrets == (third, second)


def test_changed_url_keeps_the_secret_and_makes_deliveries_due(database: Database) -> None:
    put(database)
    add_events(database, "c-1")
    (before,) = claim(database)
    fail(database, 1, START)
    fail(database, 1, START + 5)
    moved = put(database, url="https://elsewhere.example/", now=START + 6)
    (after,) = claim(database, START + 6)

    assert moved is None
    assert (after.url, after.secrets) == ("https://elsewhere.example/", before.secrets)
    assert after.event.event_id == before.event.event_id


def test_removed_endpoint_loses_its_deliveries_but_the_feed_keeps_all_events(database: Database) -> None:
    put(database)
    add_events(database, "c-1")
    claim(database)
    with database.write() as session:
        remove_endpoint(session, ACCOUNT)
    deliver(database, 1)
    fail(database, 2, START)
    with database.write() as session:
        with pytest.raises(NoEndpoint):
            replay(session, ACCOUNT, 0, None, START)
        in_feed = len(events_after(session, ACCOUNT, 0, 100))
        removed = endpoint(session, ACCOUNT)

    assert (in_feed, removed, seqs(database)) == (PER_CONTRACT, None, [])


def test_accounts_share_the_delivery_limit(database: Database) -> None:
    others = [f"other-{number}" for number in range(3)]
    with database.write() as session:
        for other in others:
            create_account(session, CIPHER, other, PlatformCredentials(url="", user="", key=""), Policy(), NOW, 1)
    for account in (ACCOUNT, *others):
        with database.write() as session:
            set_endpoint(session, CIPHER, account, URL, START)
    for number in range(8):
        for account in (ACCOUNT, *others):
            with database.write() as session:
                new_contract(session, f"c-{number}", account)
    claimed = claim(database, limit=4 * PER_ENDPOINT_MAX)

    assert Counter(delivery.account for delivery in claimed) == dict.fromkeys((ACCOUNT, *others), PER_ENDPOINT_MAX)
