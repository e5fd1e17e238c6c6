"""The endpoint and the event feed over HTTP."""

import base64
import time
from typing import Any

import pytest

from avtal.store.engine.database import Database
from avtal.store.queues.deliveries import failed, queue_deliveries
from avtal.store.tables import EndpointRow
from tests.api.client import ACCOUNT, Caller, ok, pointers, problem, sale

URL = "https://publisher.example/told"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name servers of these tests: *.example is public, but for inside.example."""

    def found(host: str, port: int, **_: Any) -> list[Any]:  # Any: as socket answers
        if host.startswith("nowhere"):
            raise OSError
        addresses = {"publisher.example": ["93.184.215.14"], "inside.example": ["93.184.215.14", "10.0.0.7"]}
        return [(2, 1, 6, "", (address, port)) for address in addresses.get(host, [host.strip("[]")])]

    monkeypatch.setattr("avtal.endpoint_resolver.socket.getaddrinfo", found)


async def put(caller: Caller, url: str | None, **more: object) -> dict[str, Any]:
    return ok(await caller.ask("PUT", "/endpoint", {"url": url, **more}))


async def test_a_new_endpoint_shows_its_secret_once_and_keeps_it_sealed(caller: Caller, database: Database) -> None:
    before = await caller.get("/endpoint")
    first = await put(caller, URL)
    again = await put(caller, URL)
    shown = await caller.get("/endpoint")
    with database.read() as session:
        row = session.get_one(EndpointRow, ACCOUNT)

    assert before["url"] is None
    assert first["secret"].startswith("whsec_")
    assert len(base64.b64decode(first["secret"].removeprefix("whsec_"))) == 32
    assert (again["url"], again["secret"]) == (URL, None)
    assert shown.keys() == {"url", "delivered_seq", "waiting", "oldest_waiting", "last_failure", "dead"}
    assert first["secret"] not in row.secret


async def test_a_new_secret_is_made_when_it_is_asked_for(caller: Caller) -> None:
    first = await put(caller, URL)
    second = await put(caller, URL, new_secret=True)

    assert second["secret"].startswith("whsec_")
    assert first["secret"] != second["secret"]


async def test_null_takes_the_endpoint_away_and_the_next_one_is_new(caller: Caller) -> None:
    first = await put(caller, URL)
    gone = await put(caller, None)
    fresh = await put(caller, URL)

    assert (gone["url"], gone["secret"]) == (None, None)
    assert fresh["secret"] not in (None, first["secret"])


@pytest.mark.parametrize(
    "url",
    [
        "http://publisher.example/", "https://inside.example/", "https://nowhere.example/", "https://127.0.0.1/",
        "https://169.254.169.254/latest", "https://[::1]/", "https://user@publisher.example/", "told",
    ],
)  # fmt: skip
async def test_an_address_that_is_not_public_https_is_refused_and_named(caller: Caller, url: str) -> None:
    refused = await caller.ask("PUT", "/endpoint", {"url": url})

    assert pointers(refused) == ["/url"]
    assert (await caller.get("/endpoint"))["url"] is None


@pytest.mark.parametrize(("body", "pointer"), [({}, "/url"), ({"url": 7}, "/url"), ({"url": URL, "x": 1}, "/x")])
async def test_a_bad_body_is_422(caller: Caller, body: object, pointer: str) -> None:
    assert pointers(await caller.ask("PUT", "/endpoint", body)) == [pointer]


async def test_the_endpoint_shows_what_waits_and_why(caller: Caller, database: Database) -> None:
    await put(caller, URL)
    await caller.sold()
    with database.write() as session:
        queue_deliveries(session, time.time())
        session.flush()
        failed(session, ACCOUNT, 1, "HTTP 500", time.time(), 0.0)
    shown = await caller.get("/endpoint")

    assert (shown["delivered_seq"], shown["waiting"], shown["dead"]) == (None, 2, [])
    assert shown["oldest_waiting"]["seq"] == 1
    assert shown["last_failure"]["detail"] == "HTTP 500"


async def test_a_replay_queues_again_and_needs_an_endpoint(caller: Caller) -> None:
    await caller.sold()
    problem(await caller.ask("POST", "/endpoint/replay", {"after": 0}), 409)
    await put(caller, URL)

    assert ok(await caller.ask("POST", "/endpoint/replay", {"after": 1})) == {"queued": 1, "next_after": None}
    assert ok(await caller.ask("POST", "/endpoint/replay", {"after": 0, "contract_id": "c-2"}))["queued"] == 0
    assert pointers(await caller.ask("POST", "/endpoint/replay", {"after": -1})) == ["/after"]
    assert (await caller.get("/endpoint"))["waiting"] == 1


async def test_the_feed_tells_everything_in_order_and_in_pages(caller: Caller) -> None:
    for number in range(3):
        await caller.sold(f"c-{number}")
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


async def test_a_repeated_sale_is_no_event_and_another_accounts_feed_is_its_own(caller: Caller, other: Caller) -> None:
    await caller.sold()
    ok(await caller.ask("POST", "/contracts", sale()))

    assert len((await caller.get("/events"))["items"]) == 2
    assert (await other.get("/events"))["items"] == []
    assert (await other.get("/endpoint"))["url"] is None


@pytest.mark.parametrize("query", [{"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 201}, {"since": 1}])
async def test_a_bad_question_to_the_feed_is_422(caller: Caller, query: dict[str, Any]) -> None:
    assert pointers(await caller.ask("GET", "/events", **query)) == [f"/{next(iter(query))}"]
