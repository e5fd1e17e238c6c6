"""The endpoint and the event feed over HTTP."""

import base64
import time
from typing import Any

import pytest

from avtal.store.engine.database import Database
from avtal.store.queues.deliveries import fail_delivery, queue_deliveries
from avtal.store.tables import EndpointRow
from tests.api.caller import ACCOUNT, Caller, body_of, pointers, problem, sale

URL = "https://publisher.example/events"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolves names without a name server: *.example is public, except inside.example."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:  # Any: as in socket
        if host.startswith("nowhere"):
            raise OSError
        addresses = {"publisher.example": ["93.184.215.14"], "inside.example": ["93.184.215.14", "10.0.0.7"]}
        return [(2, 1, 6, "", (address, port)) for address in addresses.get(host, [host.strip("[]")])]

    monkeypatch.setattr("avtal.endpoint_resolver.socket.getaddrinfo", resolve)


async def put(caller: Caller, url: str | None, **more: object) -> dict[str, Any]:
    return body_of(await caller.request("PUT", "/endpoint", {"url": url, **more}))


async def test_endpoint_secret_is_shown_once_and_stored_encrypted(caller: Caller, database: Database) -> None:
    before = await caller.get("/endpoint")
    first = await put(caller, URL)
    repeated = await put(caller, URL)
    shown = await caller.get("/endpoint")
    with database.read() as session:
        row = session.get_one(EndpointRow, ACCOUNT)

    assert before["url"] is None
    assert first["secret"].startswith("whsec_")
    assert len(base64.b64decode(first["secret"].removeprefix("whsec_"))) == 32
    assert (repeated["url"], repeated["secret"]) == (URL, None)
    assert shown.keys() == {"url", "delivered_seq", "waiting", "oldest_waiting", "last_failure", "dead"}
    assert first["secret"] not in row.secret


async def test_new_secret_is_made_on_request(caller: Caller) -> None:
    first = await put(caller, URL)
    second = await put(caller, URL, new_secret=True)

    assert second["secret"].startswith("whsec_")
    assert first["secret"] != second["secret"]


async def test_endpoint_after_a_removed_one_gets_a_new_secret(caller: Caller) -> None:
    first = await put(caller, URL)
    removed = await put(caller, None)
    second = await put(caller, URL)

    assert (removed["url"], removed["secret"]) == (None, None)
    assert second["secret"] not in (None, first["secret"])


@pytest.mark.parametrize(
    "url",
    [
        "http://publisher.example/", "https://inside.example/", "https://nowhere.example/", "https://127.0.0.1/",
        "https://169.254.169.254/latest", "https://[::1]/", "https://user@publisher.example/", "events",
    ],
)  # fmt: skip
async def test_endpoint_must_be_public_https(caller: Caller, url: str) -> None:
    refused = await caller.request("PUT", "/endpoint", {"url": url})

    assert pointers(refused) == ["/url"]
    assert (await caller.get("/endpoint"))["url"] is None


@pytest.mark.parametrize(("body", "pointer"), [({}, "/url"), ({"url": 7}, "/url"), ({"url": URL, "x": 1}, "/x")])
async def test_invalid_endpoint_is_422(caller: Caller, body: object, pointer: str) -> None:
    assert pointers(await caller.request("PUT", "/endpoint", body)) == [pointer]


async def test_endpoint_shows_waiting_events_and_the_last_failure(caller: Caller, database: Database) -> None:
    await put(caller, URL)
    await caller.sell()
    with database.write() as session:
        queue_deliveries(session, time.time())
        session.flush()
        fail_delivery(session, ACCOUNT, 1, "HTTP 500", time.time(), 0.0)
    shown = await caller.get("/endpoint")

    assert (shown["delivered_seq"], shown["waiting"], shown["dead"]) == (None, 2, [])
    assert shown["oldest_waiting"]["seq"] == 1
    assert shown["last_failure"]["detail"] == "HTTP 500"


async def test_replay_queues_events_again_and_needs_an_endpoint(caller: Caller) -> None:
    await caller.sell()
    problem(await caller.request("POST", "/endpoint/replay", {"after": 0}), 409)
    await put(caller, URL)

    assert body_of(await caller.request("POST", "/endpoint/replay", {"after": 1})) == {"queued": 1, "next_after": None}
    assert body_of(await caller.request("POST", "/endpoint/replay", {"after": 0, "contract_id": "c-2"}))["queued"] == 0
    assert pointers(await caller.request("POST", "/endpoint/replay", {"after": -1})) == ["/after"]
    assert (await caller.get("/endpoint"))["waiting"] == 1


async def test_feed_lists_every_event_in_order_and_in_pages(caller: Caller) -> None:
    for number in range(3):
        await caller.sell(f"c-{number}")
    first = await caller.get("/events", limit=4)
    rest = await caller.get("/events", after=first["next_cursor"], limit=4)
    by_cursor = await caller.get("/events", cursor=first["next_cursor"])

    assert [item["seq"] for item in first["items"] + rest["items"]] == [1, 2, 3, 4, 5, 6]
    assert (first["next_cursor"], rest["next_cursor"]) == ("4", None)
    assert by_cursor == rest
    assert first["items"][0].keys() == {"seq", "event_id", "at", "type", "contract_id", "bill_id", "data"}
    assert [(item["type"], item["contract_id"]) for item in first["items"][:2]] == [
        ("contract.sold", "c-0"),
        ("access.turned_on", "c-0"),
    ]
    assert (await caller.get("/events", after=6))["items"] == []


async def test_repeated_sale_is_no_event_and_feeds_are_separate(caller: Caller, other: Caller) -> None:
    await caller.sell()
    body_of(await caller.request("POST", "/contracts", sale()))

    assert len((await caller.get("/events"))["items"]) == 2
    assert (await other.get("/events"))["items"] == []
    assert (await other.get("/endpoint"))["url"] is None


@pytest.mark.parametrize("query", [{"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 201}, {"since": 1}])
async def test_invalid_feed_query_is_422(caller: Caller, query: dict[str, Any]) -> None:
    assert pointers(await caller.request("GET", "/events", **query)) == [f"/{next(iter(query))}"]
