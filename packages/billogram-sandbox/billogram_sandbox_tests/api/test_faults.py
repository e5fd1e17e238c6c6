"""Faults of API requests, and counting requests."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from billogram_sandbox_tests.client import KEY, USER, Client, eventually, ok, row
from billogram_sandbox_tests.server import sandbox_process


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A shared process, which can close connections; emptied for each test."""
    async with sandbox_process(tmp_path_factory.mktemp("served") / "a.db") as (client, _):
        yield client


@pytest.fixture(autouse=True)
async def emptied(request: pytest.FixtureRequest) -> None:
    if "served" in request.fixturenames:
        served: Client = request.getfixturevalue("served")
        await served.control("POST", "/reset")


async def test_down_fails_every_api_request_without_json(client: Client) -> None:
    await client.control("PUT", "/faults", {"api": {"down": True}})
    down = await client.api("GET", "/customer")
    clock = await client.control("GET", "/clock")
    await client.control("PUT", "/faults", {})

    assert (down.status_code, down.headers["content-type"].split(";")[0]) == (503, "text/html")
    assert down.headers["retry-after"] == "1"
    assert clock["next_due"] is None
    assert ok(await client.api("GET", "/customer"))["data"] == []


async def test_failure_after_storing_keeps_the_stored(client: Client) -> None:
    customer = await client.customer()
    await client.control("PUT", "/faults", {"api": {"fail_after_store": 1}, "seed": 1})
    lost = await client.api(
        "POST",
        "/billogram",
        {"customer": {"customer_no": customer["customer_no"]}, "items": [row()], "creditor_unique_value": "k"},
    )
    query = {"filter_type": "field", "filter_field": "creditor_unique_value", "filter_value": "k"}

    assert (lost.status_code, lost.headers["content-type"].split(";")[0]) == (500, "text/html")
    assert ok(await client.api("GET", "/billogram", **query))["meta"]["total_count"] == 1


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        ("status_503", 503, "text/html"),
        ("status_429", 429, "text/html"),
        ("html_error", 500, "text/html"),
        ("json_error", 500, "application/json"),
        ("html_ok", 200, "text/html"),
    ],
)
async def test_refused_request_is_not_carried_out(client: Client, fault: str, code: int, kind: str) -> None:
    await client.control("PUT", "/faults", {"api": {fault: 1}})
    failed = await client.api("POST", "/customer", {"name": "Lisa"})
    await client.control("PUT", "/faults", {})

    assert (failed.status_code, failed.headers["content-type"].split(";")[0]) == (code, kind)
    assert b'"data"' not in failed.content
    assert ok(await client.api("GET", "/customer"))["data"] == []


@pytest.mark.parametrize("retry_after", [0, 120, "Wed, 21 Oct 2026 07:28:00 GMT", None])
async def test_retry_after_is_configurable(client: Client, retry_after: object) -> None:
    await client.control("PUT", "/faults", {"api": {"down": True, "retry_after": retry_after}})
    down = await client.api("GET", "/customer")

    assert down.headers.get("retry-after") == (None if retry_after is None else str(retry_after))


async def test_only_and_times_limit_the_faults(client: Client) -> None:
    await client.control("PUT", "/faults", {"api": {"status_503": 1, "only": ["POST /customer"], "times": 2}})
    posts = [(await client.api("POST", "/customer", {"name": "Lisa"})).status_code for _ in range(3)]
    read = await client.api("GET", "/customer")

    struck = (await client.control("GET", "/stats"))["struck"]

    assert posts == [503, 503, 200]
    assert struck == {"status_503": 2}
    assert len(ok(read)["data"]) == 1


async def test_latency_delays_requests(client: Client) -> None:
    await client.control("PUT", "/faults", {"api": {"latency_ms": [30, 40], "only": ["GET /customer"]}})
    started = time.monotonic()
    await client.api("GET", "/customer")

    assert time.monotonic() - started >= 0.03


@pytest.mark.parametrize(
    ("fault", "error", "stored"),
    [
        ("disconnect", httpx.RemoteProtocolError, 0),
        ("disconnect_after_store", httpx.RemoteProtocolError, 1),
        ("truncate", httpx.RemoteProtocolError, 1),
        ("timeout", httpx.ReadTimeout, 1),
        ("late", httpx.ReadTimeout, 1),
    ],
)
async def test_incomplete_responses_close_the_connection(
    served: Client, fault: str, error: type[Exception], stored: int
) -> None:
    timeout_seconds = 0.2 if error is httpx.ReadTimeout else 20
    await served.control("PUT", "/faults", {"api": {fault: 1}})
    with pytest.raises(error):
        await served.http.post("/api/v2/customer", json={"name": "Lisa"}, auth=(USER, KEY), timeout=timeout_seconds)
    await served.control("PUT", "/faults", {})

    async def as_stored() -> bool:
        return len(ok(await served.api("GET", "/customer"))["data"]) == stored

    await eventually(as_stored)


async def test_late_request_is_carried_out_after_the_disconnect(served: Client) -> None:
    await served.control("PUT", "/faults", {"api": {"late": 1, "only": ["POST /customer"]}})
    request = asyncio.create_task(
        served.http.post("/api/v2/customer", json={"name": "Lisa"}, auth=(USER, KEY), timeout=0.3)
    )

    async def counted() -> bool:
        return "POST /customer" in (await served.control("GET", "/stats"))["requests"]

    await eventually(counted)
    before = ok(await served.api("GET", "/customer"))["data"]
    with pytest.raises(httpx.ReadTimeout):
        await request

    async def is_there() -> bool:
        return bool(ok(await served.api("GET", "/customer"))["data"])

    await eventually(is_there)

    assert before == []


async def test_same_seed_hits_the_same_requests(client: Client) -> None:
    async def codes() -> list[int]:
        await client.control("PUT", "/faults", {"api": {"status_503": 0.5}, "seed": 7})
        return [(await client.api("GET", "/customer")).status_code for _ in range(20)]

    first = await codes()

    assert set(first) == {200, 503}
    assert first == await codes()


@pytest.mark.parametrize(
    "faults",
    [
        {"apo": {}},
        {"api": {"downn": True}},
        {"api": {"status_503": 2}},
        {"callbacks": {"drop": -1}},
        {"callbacks": {"delay_ms": [500, 0]}},
        {"callbacks": {"delay_ms": 5}},
        {"api": {"latency_ms": [9, 1]}},
        {"api": {"retry_after": "soon\n"}},
        {"api": {"times": -1}},
    ],
)
async def test_unknown_faults_are_refused(client: Client, faults: dict[str, object]) -> None:
    response = await client.http.put("/sandbox/faults", json=faults)

    assert (response.status_code, list(response.json())) == (400, ["error"])
    assert (await client.control("GET", "/faults"))["api"]["down"] is False


async def test_api_requests_are_counted_by_kind(client: Client) -> None:
    billogram = await client.sent()
    await client.get(billogram["id"])
    await client.command(billogram["id"], "payment", {"amount": 1})
    counted = await client.control("GET", "/stats")
    await client.control("POST", "/stats/reset")

    assert counted["requests"] == {
        "GET /billogram/{id}": 1,
        "POST /billogram": 1,
        "POST /billogram/{id}/command/payment": 1,
        "POST /customer": 1,
    }
    assert counted["total"] == 4
    assert (await client.control("GET", "/stats"))["total"] == 0
