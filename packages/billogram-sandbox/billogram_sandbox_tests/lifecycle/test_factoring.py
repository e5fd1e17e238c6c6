"""Factoring: selling a draft, and the partner's decision."""

import pytest

from billogram_sandbox_tests.client import Client, Json, Receiver, data, problem, row, types


async def test_sold_draft_waits_with_dates_and_without_number(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    draft = await client.draft(due_days=10)
    sold = data(await client.command(draft["id"], "sell"))

    assert (sold["state"], sold["invoice_no"], sold["due_date"]) == ("Factoring", None, "2030-03-11")
    assert sold["ocr_number"] is not None
    assert sold["attested_at"].startswith("2030-03-01")
    assert types(sold) == ["BillogramCreated", "FactoringRequest"]
    assert sold["events"][1]["data"]["sells_for"] == 149


@pytest.mark.parametrize("how", [{"_event": "sell"}, {"on_success": {"command": "sell"}}])
async def test_billogram_is_sold_on_creation(client: Client, how: Json) -> None:
    assert (await client.draft(**how))["state"] == "Factoring"


async def test_partner_buys_the_next_day_or_as_decided(client: Client) -> None:
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


async def test_sale_sends_its_callbacks_in_order(live: Client, receiver: Receiver) -> None:
    sold = await live.draft(_event="sell")
    await live.advance("1d")
    callbacks = await receiver.holds(4)

    assert [each.type for each in callbacks] == [
        "BillogramCreated",
        "FactoringRequest",
        "BillogramSold",
        "BillogramEnded",
    ]
    assert [each.body["billogram"]["state"] for each in callbacks] == ["Unattested", "Factoring", "Factoring", "Sold"]
    assert {each.body["billogram"]["id"] for each in callbacks} == {sold["id"]}


async def test_sold_billogram_is_credited_and_paid_but_never_lost(client: Client) -> None:
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
async def test_failed_command_on_creation_leaves_no_draft(
    client: Client, fields: Json, refusal: tuple[object, ...]
) -> None:
    refused = await client.try_draft(**fields)
    listed = await client.api("GET", "/billogram")

    assert problem(refused) == refusal
    assert listed.json()["meta"]["total_count"] == 0
