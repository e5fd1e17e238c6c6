"""Swish and card: what is asked for is paid once, declined, or expires on the movable clock."""

import httpx
import pytest

from billogram_sandbox_tests.client import Client, Json, types


@pytest.mark.parametrize("method", ["swish", "card"])
async def test_what_remains_is_asked_for_and_paid_under_the_ocr_number(client: Client, method: str) -> None:
    billogram = await client.sent()
    asked = await _asked(client, billogram, method=method)
    paid = await _settled(client, asked, outcome="paid", payer_name="Lisa Provperson")
    after = await client.get(billogram["id"])

    assert (asked["status"], asked["amount"], asked["currency"]) == ("created", 149, "SEK")
    assert asked["message"] == billogram["ocr_number"]
    assert (paid["status"], paid | {"status": "created", "settled_at": None}) == ("paid", asked)
    assert (after["state"], types(after)[2:]) == ("Paid", ["Payment", "BillogramEnded"])
    told = after["events"][2]["data"]
    assert (told["payment_type"], told["payer_name"], told["manual"]) == (method, "Lisa Provperson", False)


async def test_a_part_may_be_asked_for(client: Client) -> None:
    billogram = await client.sent()
    await _settled(client, await _asked(client, billogram, method="swish", amount="49"), outcome="paid")

    assert (await client.get(billogram["id"]))["remaining_sum"] == 100


async def test_a_request_that_is_declined_is_told_and_changes_no_sum(client: Client) -> None:
    billogram = await client.sent()
    declined = await _settled(client, await _asked(client, billogram, method="card"), outcome="declined")
    after = await client.get(billogram["id"])

    assert declined["status"] == "declined"
    assert (after["state"], after["remaining_sum"]) == ("Unpaid", 149)
    assert types(after)[2:] == ["PaymentFailed"]
    assert after["events"][2]["data"]["payment_failure_reason"] == "declined by the payer"


@pytest.mark.parametrize(("method", "minutes"), [("swish", 3), ("card", 15)])
async def test_a_request_expires_by_itself_when_its_minutes_are_over(client: Client, method: str, minutes: int) -> None:
    billogram = await client.sent()
    asked = await _asked(client, billogram, method=method)
    await client.advance(f"{minutes * 60 - 5}s")
    waiting = await client.control("GET", f"/requests/{asked['id']}")
    await client.advance("5s")
    over = await client.control("GET", f"/requests/{asked['id']}")
    late = await _try(client, asked, outcome="paid")

    assert (waiting["status"], over["status"], late.status_code) == ("created", "expired", 409)
    assert types(await client.get(billogram["id"]))[2:] == []


async def test_a_request_ends_once(client: Client) -> None:
    asked = await _asked(client, await client.sent(), method="swish")
    await _settled(client, asked, outcome="expired")
    again = [await _try(client, asked, outcome=outcome) for outcome in ("paid", "declined", "expired")]

    assert [each.status_code for each in again] == [409, 409, 409]


async def test_two_requests_that_are_both_paid_pay_twice(client: Client) -> None:
    billogram = await client.sent()
    asked = [await _asked(client, billogram, method=method) for method in ("swish", "card")]
    for each in asked:
        await _settled(client, each, outcome="paid")

    assert (await client.get(billogram["id"]))["remaining_sum"] == -149


async def test_nothing_is_asked_for_of_drafts_and_of_what_is_settled(client: Client) -> None:
    draft, paid = await client.draft(), await client.sent()
    await client.pay(paid["id"])
    answers = [
        await client.http.post(f"/sandbox/billograms/{each}/requests", json={"method": "swish"})
        for each in (draft["id"], paid["id"], "nobody")
    ]
    unknown = await client.http.get("/sandbox/requests/nothing")

    assert [answer.status_code for answer in (*answers, unknown)] == [409, 409, 404, 404]


async def _asked(client: Client, billogram: Json, **how: object) -> Json:
    return await client.control("POST", f"/billograms/{billogram['id']}/requests", how)


async def _settled(client: Client, request: Json, **how: object) -> Json:
    return await client.control("POST", f"/requests/{request['id']}", how)


async def _try(client: Client, request: Json, **how: object) -> httpx.Response:
    return await client.http.post(f"/sandbox/requests/{request['id']}", json=how)
