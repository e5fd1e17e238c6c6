"""Deliveries over real HTTP: signed, in order per contract, and no account waits for another's endpoint."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from avtal.contracts.policy import Policy
from avtal.relay.relay import Relay
from avtal.relay.webhook_deliverer import DELIVERIES_MAX, WebhookDeliverer, endpoint_client
from avtal.store.accounts.accounts import PlatformCredentials, create_account
from avtal.store.accounts.endpoints import endpoint, set_endpoint
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.deliveries import Delivery, replay
from tests.publisher import Json, Publisher, publisher
from tests.store.builders import ACCOUNT, KEY, NOW, new_contract

CIPHER = Cipher(KEY)


@pytest.fixture
async def backend() -> AsyncIterator[Publisher]:
    async with publisher() as backend:
        yield backend


@asynccontextmanager
async def relaying(database: Database, *, private_ok: bool = True, count: int = 1) -> AsyncIterator[None]:
    async with endpoint_client() as http:
        deliverers = [WebhookDeliverer(database, CIPHER, http, private_ok=private_ok) for _ in range(count)]
        relays = [Relay[Delivery](deliverer, concurrency_max=DELIVERIES_MAX) for deliverer in deliverers]
        running = [asyncio.create_task(relay.run()) for relay in relays]
        try:
            yield
        finally:
            for relay in relays:
                relay.stop()
            await asyncio.gather(*running, return_exceptions=True)


async def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - the store and the publisher change without an event
            await asyncio.sleep(0.01)


def put(database: Database, url: str, account: str = ACCOUNT, *, new_secret: bool = False) -> str | None:
    with database.write() as session:
        return set_endpoint(session, CIPHER, account, url, time.time(), new_secret=new_secret)


def sell(database: Database, contract_id: str, account: str = ACCOUNT) -> None:
    """Two events: sold, and access turned on."""
    with database.write() as session:
        new_contract(session, contract_id, account)


def waiting(database: Database, account: str = ACCOUNT) -> int:
    with database.read() as session:
        found = endpoint(session, account)
    assert found is not None
    return found.waiting


def last_error(database: Database) -> str | None:
    with database.read() as session:
        found = endpoint(session, ACCOUNT)
    return found.last_error if found else None


async def test_an_event_is_signed_by_the_standard_webhooks_scheme(database: Database, backend: Publisher) -> None:
    secret = put(database, backend.url)
    assert secret is not None
    sell(database, "c-1")
    async with relaying(database):
        await wait_until(lambda: len(backend.received) == 2)
    first = backend.received[0]

    assert Webhook(secret).verify(first.body, first.headers) == first.payload
    assert first.payload.keys() == {"type", "timestamp", "data"}
    assert (first.payload["type"], first.payload["data"]["seq"], first.payload["data"]["access"]) == (
        "contract.sold",
        1,
        "on",
    )
    assert first.headers["webhook-id"].startswith("evt_")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(first.body.replace(b'"on"', b'"off"'), first.headers)
    assert "Anna" not in first.body.decode()


async def test_both_secrets_verify_after_a_rotation(database: Database, backend: Publisher) -> None:
    secrets = [put(database, backend.url), put(database, backend.url, new_secret=True)]
    sell(database, "c-1")
    async with relaying(database):
        await wait_until(lambda: len(backend.received) == 2)
    first = backend.received[0]

    assert len(first.headers["webhook-signature"].split()) == 2
    for secret in secrets:
        assert secret is not None
        assert Webhook(secret).verify(first.body, first.headers) == first.payload


async def test_an_unreliable_endpoint_gets_each_contracts_events_in_order(
    database: Database, backend: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avtal.store.queues.deliveries.RETRY_AFTER_SECONDS", (0.0,))
    contracts = [f"c-{number}" for number in range(10)]
    tries = iter(range(10_000))

    async def fail_often(_payload: Json) -> int:
        return 204 if next(tries) % 3 == 0 else 500

    backend.respond = fail_often
    put(database, backend.url)
    for contract_id in contracts * 2:
        sell(database, contract_id)
    async with relaying(database, count=3):
        await wait_until(lambda: waiting(database) == 0 and len(backend.accepted) == 20)

    for contract_id in contracts:
        assert backend.seqs(contract_id) == sorted(backend.seqs(contract_id))
    assert sorted(backend.seqs()) == [*range(1, 21)]
    ids = {one.seq: set[str]() for one in backend.received}
    for one in backend.received:
        ids[one.seq].add(one.headers["webhook-id"])
    assert len(backend.received) > 20
    assert {seq: len(of_one) for seq, of_one in ids.items()} == dict.fromkeys(range(1, 21), 1)


async def test_a_refused_event_holds_up_its_own_contract_alone(database: Database, backend: Publisher) -> None:
    async def refuse_one(payload: Json) -> int:
        return 410 if payload["data"]["contract_id"] == "c-stuck" else 200

    backend.respond = refuse_one
    put(database, backend.url)
    for contract_id in ("c-stuck", "c-1", "c-2"):
        sell(database, contract_id)
    async with relaying(database):
        await wait_until(
            lambda: len(backend.accepted) == 4 and waiting(database) == 2 and last_error(database) is not None
        )

    assert (backend.seqs("c-stuck"), waiting(database), last_error(database)) == ([], 2, "HTTP 410")


async def test_a_silent_endpoint_of_one_account_holds_up_no_other(database: Database, backend: Publisher) -> None:
    released = asyncio.Event()

    async def stay_silent(payload: Json) -> int:
        if payload["data"]["contract_id"].startswith("silent"):
            await released.wait()
        return 200

    backend.respond = stay_silent
    with database.write() as session:
        create_account(session, CIPHER, "silent", PlatformCredentials(url="", user="", key=""), Policy(), NOW, 1)
    put(database, backend.url, "silent")
    put(database, backend.url)
    for number in range(40):
        sell(database, f"silent-{number}", "silent")
    async with relaying(database):
        await wait_until(lambda: waiting(database, "silent") == 80)
        sell(database, "c-1")
        began = time.monotonic()
        await wait_until(lambda: len(backend.accepted) == 2)
        took = time.monotonic() - began
        released.set()

    assert backend.seqs("c-1") == [1, 2]
    assert took < 5.0


async def test_no_redirect_is_followed(database: Database, backend: Publisher) -> None:
    async def redirect(_payload: Json) -> int:
        return 307

    backend.respond = redirect
    put(database, backend.url)
    sell(database, "c-1")
    async with relaying(database):
        await wait_until(lambda: last_error(database) is not None)

    assert last_error(database) == "HTTP 307"
    assert len(backend.received) == 1


async def test_an_unreachable_endpoint_is_retried(database: Database) -> None:
    put(database, "http://127.0.0.1:1/events")
    sell(database, "c-1")
    async with relaying(database):
        await wait_until(lambda: last_error(database) is not None)

    assert (last_error(database), waiting(database)) == ("ConnectError", 2)


async def test_a_host_that_resolves_to_a_private_address_later_is_not_called(
    database: Database, backend: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address was public when the endpoint was set."""
    port = int(backend.url.split(":")[2].split("/")[0])
    resolve_to(monkeypatch, "127.0.0.1")
    put(database, f"https://publisher.example:{port}/events")
    sell(database, "c-1")
    async with relaying(database, private_ok=False):
        await wait_until(lambda: last_error(database) is not None)

    assert last_error(database) == "the address has a host with an address that is not public"
    assert backend.received == []


async def test_the_checked_address_is_connected_to_with_the_host_in_the_header(
    database: Database, backend: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    port = backend.url.split(":")[2].split("/")[0]
    put(database, f"http://publisher.example:{port}/events")
    sell(database, "c-1")
    async with relaying(database):
        await wait_until(lambda: len(backend.accepted) == 2)

    assert backend.received[0].headers["host"] == f"publisher.example:{port}"


async def test_replayed_events_are_delivered_again(database: Database, backend: Publisher) -> None:
    put(database, backend.url)
    sell(database, "c-1")
    async with relaying(database):
        await wait_until(lambda: waiting(database) == 0 and len(backend.accepted) == 2)
        with database.write() as session:
            replay(session, ACCOUNT, 0, None, time.time())
        await wait_until(lambda: len(backend.accepted) == 4)

    assert backend.seqs() == [1, 2, 1, 2]
    assert backend.received[0].headers["webhook-id"] == backend.received[2].headers["webhook-id"]


def resolve_to(patch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every host resolves to these addresses."""

    def found(_host: str, port: int, **_: Any) -> list[Any]:  # Any: as socket returns
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    patch.setattr("avtal.endpoint_resolver.socket.getaddrinfo", found)
