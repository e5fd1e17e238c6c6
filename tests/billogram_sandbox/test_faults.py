"""Misbehaving on demand, and counting what was asked."""

import pytest

from tests.billogram_sandbox.calling import Client, ok, row


async def test_when_down_every_api_request_fails_without_json_and_nothing_else_does(client: Client) -> None:
    await client.control("PUT", "/faults", {"api": {"down": True}})
    down = await client.api("GET", "/customer")
    clock = await client.control("GET", "/clock")
    await client.control("PUT", "/faults", {})

    assert (down.status_code, down.headers["content-type"].split(";")[0]) == (503, "text/html")
    assert down.headers["retry-after"] == "1"
    assert clock["next_due"] is None
    assert ok(await client.api("GET", "/customer"))["data"] == []


async def test_a_failure_after_storing_leaves_what_was_stored(client: Client) -> None:
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


async def test_an_html_error_carries_out_nothing(client: Client) -> None:
    await client.control("PUT", "/faults", {"api": {"html_error": 1}})
    failed = await client.api("POST", "/customer", {"name": "Lisa"})
    await client.control("PUT", "/faults", {})

    assert (failed.status_code, failed.headers["content-type"].split(";")[0]) == (500, "text/html")
    assert ok(await client.api("GET", "/customer"))["data"] == []


async def test_the_same_seed_strikes_the_same_requests(client: Client) -> None:
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
    ],
)
async def test_unknown_faults_are_refused_and_change_nothing(client: Client, faults: dict[str, object]) -> None:
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
