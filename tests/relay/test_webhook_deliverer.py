"""The relay's third half over real HTTP: signed, in order per contract, and no account waits for another's endpoint."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from avtal.contracts.policy import Policy
from avtal.relay.relay import Relay
from avtal.relay.webhook_deliverer import DELIVERIES_AT_ONCE_MAX, WebhookDeliverer, endpoint_client
from avtal.store.accounts.accounts import PlatformAccess, create_account
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.feed.endpoints import endpoint, set_endpoint
from avtal.store.queues.deliveries import Delivery, replay
from tests.publisher import Json, Publisher, publisher
from tests.store.builders import ACCOUNT, KEY, NOW, sold

CIPHER = Cipher(KEY)


@pytest.fixture
async def backend() -> AsyncIterator[Publisher]:
    async with publisher() as backend:
        yield backend


@asynccontextmanager
async def relaying(database: Database, *, private_ok: bool = True, relays: int = 1) -> AsyncIterator[None]:
    async with endpoint_client() as http:
        parts = [WebhookDeliverer(database, CIPHER, http, private_ok=private_ok) for _ in range(relays)]
        of_parts = [Relay[Delivery](part, at_once_max=DELIVERIES_AT_ONCE_MAX) for part in parts]
        running = [asyncio.create_task(relay.run()) for relay in of_parts]
        try:
            yield
        finally:
            for relay in of_parts:
                relay.stop()
            await asyncio.gather(*running, return_exceptions=True)


async def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - what ends it happens elsewhere
            await asyncio.sleep(0.01)


def put(database: Database, url: str, account: str = ACCOUNT, *, new_secret: bool = False) -> str | None:
    with database.write() as session:
        return set_endpoint(session, CIPHER, account, url, time.time(), new_secret=new_secret)


def sell(database: Database, contract_id: str, account: str = ACCOUNT) -> None:
    """Two events: sold, and access turned on."""
    with database.write() as session:
        sold(session, contract_id, account)


def waiting(database: Database, account: str = ACCOUNT) -> int:
    with database.read() as session:
        found = endpoint(session, account)
    assert found is not None
    return found.waiting


def last_error(database: Database) -> str | None:
    with database.read() as session:
        found = endpoint(session, ACCOUNT)
    return found.last_error if found else None


async def test_an_event_is_signed_so_that_the_schemes_own_library_verifies_it(
    database: Database, backend: Publisher
) -> None:
    secret = put(database, backend.url)
    assert secret is not None
    sell(database, "c-1")
    async with relaying(database):
        await until(lambda: len(backend.heard) == 2)
    first = backend.heard[0]

    assert Webhook(secret).verify(first.body, first.headers) == first.told
    assert first.told.keys() == {"type", "timestamp", "data"}
    assert (first.told["type"], first.told["data"]["seq"], first.told["data"]["access"]) == ("contract.sold", 1, "on")
    assert first.headers["webhook-id"].startswith("evt_")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(first.body.replace(b'"on"', b'"off"'), first.headers)
    assert "Anna" not in first.body.decode()


async def test_after_a_rotation_both_secrets_verify(database: Database, backend: Publisher) -> None:
    secrets = [put(database, backend.url), put(database, backend.url, new_secret=True)]
    sell(database, "c-1")
    async with relaying(database):
        await until(lambda: len(backend.heard) == 2)
    first = backend.heard[0]

    assert len(first.headers["webhook-signature"].split()) == 2
    for secret in secrets:
        assert secret is not None
        assert Webhook(secret).verify(first.body, first.headers) == first.told


async def test_an_endpoint_that_fails_now_and_then_gets_each_contracts_events_in_order(
    database: Database, backend: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avtal.store.queues.deliveries.RETRY_AFTER_SECONDS", (0.0,))
    contracts = [f"c-{number}" for number in range(10)]
    tries = iter(range(10_000))

    async def fail_often(_told: Json) -> int:
        return 204 if next(tries) % 3 == 0 else 500

    backend.answer = fail_often
    put(database, backend.url)
    for contract_id in contracts * 2:
        sell(database, contract_id)
    async with relaying(database, relays=3):
        await until(lambda: waiting(database) == 0 and len(backend.accepted) == 20)

    for contract_id in contracts:
        assert backend.seqs(contract_id) == sorted(backend.seqs(contract_id))
    assert sorted(backend.seqs()) == [*range(1, 21)]
    ids = {one.seq: set[str]() for one in backend.heard}
    for one in backend.heard:
        ids[one.seq].add(one.headers["webhook-id"])
    assert len(backend.heard) > 20
    assert all(len(of_one) == 1 for of_one in ids.values())


async def test_a_contract_that_is_stuck_holds_up_itself_alone(database: Database, backend: Publisher) -> None:
    async def refuse_one(told: Json) -> int:
        return 410 if told["data"]["contract_id"] == "c-stuck" else 200

    backend.answer = refuse_one
    put(database, backend.url)
    for contract_id in ("c-stuck", "c-1", "c-2"):
        sell(database, contract_id)
    async with relaying(database):
        await until(lambda: len(backend.accepted) == 4 and waiting(database) == 2 and last_error(database) is not None)

    assert (backend.seqs("c-stuck"), waiting(database), last_error(database)) == ([], 2, "HTTP 410")


async def test_a_silent_endpoint_of_one_account_holds_up_no_other(database: Database, backend: Publisher) -> None:
    released = asyncio.Event()

    async def stay_silent(told: Json) -> int:
        if told["data"]["contract_id"].startswith("silent"):
            await released.wait()
        return 200

    backend.answer = stay_silent
    with database.write() as session:
        create_account(session, CIPHER, "silent", PlatformAccess(url="", user="", key=""), Policy(), NOW, 1)
    put(database, backend.url, "silent")
    put(database, backend.url)
    for number in range(40):
        sell(database, f"silent-{number}", "silent")
    async with relaying(database):
        await until(lambda: waiting(database, "silent") == 80)
        sell(database, "c-1")
        began = time.monotonic()
        await until(lambda: len(backend.accepted) == 2)
        took = time.monotonic() - began
        released.set()

    assert backend.seqs("c-1") == [1, 2]
    assert took < 5.0


async def test_no_redirect_is_followed(database: Database, backend: Publisher) -> None:
    async def point_elsewhere(_told: Json) -> int:
        return 307

    backend.answer = point_elsewhere
    put(database, backend.url)
    sell(database, "c-1")
    async with relaying(database):
        await until(lambda: last_error(database) is not None)

    assert last_error(database) == "HTTP 307"
    assert len(backend.heard) == 1


async def test_an_endpoint_that_is_not_there_is_tried_again(database: Database) -> None:
    put(database, "http://127.0.0.1:1/told")
    sell(database, "c-1")
    async with relaying(database):
        await until(lambda: last_error(database) is not None)

    assert (last_error(database), waiting(database)) == ("ConnectError", 2)


async def test_a_name_that_leads_to_a_private_address_later_on_is_not_called(
    database: Database, backend: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passed when it was set; its owner, or somebody else, lets it point at our own network afterwards."""
    port = int(backend.url.split(":")[2].split("/")[0])
    resolves(monkeypatch, "127.0.0.1")
    put(database, f"https://publisher.example:{port}/told")
    sell(database, "c-1")
    async with relaying(database, private_ok=False):
        await until(lambda: last_error(database) is not None)

    assert last_error(database) == "the address has a host with an address that is not public"
    assert backend.heard == []


async def test_what_was_resolved_is_what_is_connected_to_and_the_host_is_still_named(
    database: Database, backend: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves(monkeypatch, "127.0.0.1")
    port = backend.url.split(":")[2].split("/")[0]
    put(database, f"http://publisher.example:{port}/told")
    sell(database, "c-1")
    async with relaying(database):
        await until(lambda: len(backend.accepted) == 2)

    assert backend.heard[0].headers["host"] == f"publisher.example:{port}"


async def test_what_was_taken_is_told_again_when_it_is_replayed(database: Database, backend: Publisher) -> None:
    put(database, backend.url)
    sell(database, "c-1")
    async with relaying(database):
        await until(lambda: waiting(database) == 0 and len(backend.accepted) == 2)
        with database.write() as session:
            replay(session, ACCOUNT, 0, None, time.time())
        await until(lambda: len(backend.accepted) == 4)

    assert backend.seqs() == [1, 2, 1, 2]
    assert backend.heard[0].headers["webhook-id"] == backend.heard[2].headers["webhook-id"]


def resolves(patch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name leads to these addresses from now on."""

    def found(_host: str, port: int, **_: Any) -> list[Any]:  # Any: as socket answers
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    patch.setattr("avtal.endpoint_resolver.socket.getaddrinfo", found)
