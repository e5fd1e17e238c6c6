"""Swish and card payment requests: paid once, declined, or expired."""

import httpx
import pytest

from billogram_sandbox_tests.client import Client, Json, types


@pytest.mark.parametrize("method", ["swish", "card"])
async def test_payment_request_is_for_the_remainder_with_the_ocr_number(client: Client, method: str) -> None:
    billogram = await client.sent()
    request = await _request(client, billogram, method=method)
    paid = await _settled(client, request, outcome="paid", payer_name="Lisa Provperson")
    after = await client.get(billogram["id"])

    assert (request["status"], request["amount"], request["currency"]) == ("created", 149, "SEK")
    assert request["message"] == billogram["ocr_number"]
    assert (paid["status"], paid | {"status": "created", "settled_at": None}) == ("paid", request)
    assert (after["state"], types(after)[2:]) == ("Paid", ["Payment", "BillogramEnded"])
    payment = after["events"][2]["data"]
    assert (payment["payment_type"], payment["payer_name"], payment["manual"]) == (method, "Lisa Provperson", False)


async def test_payment_request_may_be_for_a_part(client: Client) -> None:
    billogram = await client.sent()
    await _settled(client, await _request(client, billogram, method="swish", amount="49"), outcome="paid")

    assert (await client.get(billogram["id"]))["remaining_sum"] == 100


async def test_declined_request_is_an_event_and_changes_no_sum(client: Client) -> None:
    billogram = await client.sent()
    declined = await _settled(client, await _request(client, billogram, method="card"), outcome="declined")
    after = await client.get(billogram["id"])

    assert declined["status"] == "declined"
    assert (after["state"], after["remaining_sum"]) == ("Unpaid", 149)
    assert types(after)[2:] == ["PaymentFailed"]
    assert after["events"][2]["data"]["payment_failure_reason"] == "declined by the payer"


@pytest.mark.parametrize(("method", "minutes"), [("swish", 3), ("card", 15)])
async def test_payment_request_expires(client: Client, method: str, minutes: int) -> None:
    billogram = await client.sent()
    request = await _request(client, billogram, method=method)
    await client.advance(f"{minutes * 60 - 5}s")
    waiting = await client.control("GET", f"/requests/{request['id']}")
    await client.advance("5s")
    over = await client.control("GET", f"/requests/{request['id']}")
    late = await _try(client, request, outcome="paid")

    assert (waiting["status"], over["status"], late.status_code) == ("created", "expired", 409)
    assert types(await client.get(billogram["id"]))[2:] == []


async def test_payment_request_is_settled_once(client: Client) -> None:
    request = await _request(client, await client.sent(), method="swish")
    await _settled(client, request, outcome="expired")
    again = [await _try(client, request, outcome=outcome) for outcome in ("paid", "declined", "expired")]

    assert [each.status_code for each in again] == [409, 409, 409]


async def test_two_paid_requests_pay_twice(client: Client) -> None:
    billogram = await client.sent()
    requests = [await _request(client, billogram, method=method) for method in ("swish", "card")]
    for each in requests:
        await _settled(client, each, outcome="paid")

    assert (await client.get(billogram["id"]))["remaining_sum"] == -149


async def test_drafts_and_settled_billograms_have_no_payment_requests(client: Client) -> None:
    draft, paid = await client.draft(), await client.sent()
    await client.pay(paid["id"])
    answers = [
        await client.http.post(f"/sandbox/billograms/{each}/requests", json={"method": "swish"})
        for each in (draft["id"], paid["id"], "nobody")
    ]
    unknown = await client.http.get("/sandbox/requests/nothing")

    assert [answer.status_code for answer in (*answers, unknown)] == [409, 409, 404, 404]


async def _request(client: Client, billogram: Json, **how: object) -> Json:
    return await client.control("POST", f"/billograms/{billogram['id']}/requests", how)


async def _settled(client: Client, request: Json, **how: object) -> Json:
    return await client.control("POST", f"/requests/{request['id']}", how)


async def _try(client: Client, request: Json, **how: object) -> httpx.Response:
    return await client.http.post(f"/sandbox/requests/{request['id']}", json=how)
