"""Selling a billogram: what it becomes, when the partner answers, and what follows from each answer."""

import pytest

from billogram_sandbox_tests.client import Client, Json, Receiver, data, problem, row, types


async def test_a_draft_that_is_sold_waits_for_the_partner_with_its_dates_and_no_number(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    draft = await client.draft(due_days=10)
    sold = data(await client.command(draft["id"], "sell"))

    assert (sold["state"], sold["invoice_no"], sold["due_date"]) == ("Factoring", None, "2030-03-11")
    assert sold["ocr_number"] is not None
    assert sold["attested_at"].startswith("2030-03-01")
    assert types(sold) == ["BillogramCreated", "FactoringRequest"]
    assert sold["events"][1]["data"]["sells_for"] == 149


@pytest.mark.parametrize("how", [{"_event": "sell"}, {"on_success": {"command": "sell"}}])
async def test_it_is_sold_when_it_is_created(client: Client, how: Json) -> None:
    assert (await client.draft(**how))["state"] == "Factoring"


async def test_the_partner_buys_the_next_day_unless_told_otherwise(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    waiting, denied, bought = [await client.draft(_event="sell") for _ in range(3)]
    refused = await client.control("POST", f"/billograms/{denied['id']}/factoring", {"outcome": "denied"})
    at_once = await client.control("POST", f"/billograms/{bought['id']}/factoring", {"outcome": "sold"})
    await client.advance("1d")
    sold = await client.get(waiting["id"])

    assert (refused["state"], refused["flags"], types(refused)[2:]) == (
        "FactoringDenied",
        ["factoring denied"],
        ["FactoringDenied"],
    )
    assert (at_once["state"], sold["state"]) == ("Sold", "Sold")
    assert (sold["invoice_no"], types(sold)[2:]) == (1, ["BillogramSold", "BillogramEnded"])
    assert (sold["events"][2]["data"]["sold_for"], sold["events"][2]["created_at"]) == (149, "2030-03-01 23:00:00")
    assert (await client.get(denied["id"]))["state"] == "FactoringDenied"


async def test_what_is_sold_is_told_in_order_with_the_state_of_the_moment(live: Client, receiver: Receiver) -> None:
    sold = await live.draft(_event="sell")
    await live.advance("1d")
    told = await receiver.holds(4)

    assert [each.type for each in told] == ["BillogramCreated", "FactoringRequest", "BillogramSold", "BillogramEnded"]
    assert [each.body["billogram"]["state"] for each in told] == ["Unattested", "Factoring", "Factoring", "Sold"]
    assert {each.body["billogram"]["id"] for each in told} == {sold["id"]}


async def test_what_was_sold_is_credited_and_paid_and_never_lost(client: Client) -> None:
    sold = await client.draft(_event="sell")
    early = await client.http.post(f"/sandbox/billograms/{sold['id']}/pay", json={})
    await client.advance("1d")
    paid = await client.pay(sold["id"])
    credited = data(await client.command(sold["id"], "credit", {"mode": "full"}))
    late = await client.http.post(f"/sandbox/billograms/{sold['id']}/factoring", json={"outcome": "sold"})

    assert early.status_code == late.status_code == 409
    assert (paid["state"], credited["state"]) == ("Sold", "Credited")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"_event": "sell", "items": [row(price=0)]}, (400, "INVALID_OBJECT_STATE", None, None)),
        ({"_event": "sell", "on_success": {"command": "sell"}}, (400, "INVALID_PARAMETER_COMBINATION", "_event", None)),
        ({"on_success": {"command": "send"}}, (400, "INVALID_PARAMETER", "method", ["on_success"])),
        ({"on_success": {"command": "pay"}}, (400, "INVALID_PARAMETER", "command", ["on_success"])),
    ],
)
async def test_what_cannot_follow_a_creation_leaves_no_draft(
    client: Client, fields: Json, refusal: tuple[object, ...]
) -> None:
    refused = await client.try_draft(**fields)
    listed = await client.api("GET", "/billogram")

    assert problem(refused) == refusal
    assert listed.json()["meta"]["total_count"] == 0
