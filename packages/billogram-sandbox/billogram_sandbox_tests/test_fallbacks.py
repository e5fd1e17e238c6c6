"""Fallback chains: what did not reach its reader one way goes another, by the account's own rules and on its clock."""

import pytest

from billogram_sandbox_tests.client import Client, Json, data, types

CHAIN: Json = {
    "Email": [{"after_days": 2, "if": "failed", "way": "SMS"}, {"after_days": 5, "if": "unopened", "way": "SMS"}],
    "SMS": [{"after_days": 3, "if": "unopened", "way": "Letter"}],
}
NOON = "2030-03-01T12:00:00Z"


async def _sent(client: Client, chain: Json = CHAIN, method: str = "Email", **fields: object) -> Json:
    if (await client.control("GET", "/clock"))["now"] < "2030":
        await client.control("POST", "/clock", {"set": NOON})
    await client.control("PUT", "/account", {"fallbacks": chain})
    contact = {"email": "lisa@example.com", "phone": "0700000000"}
    customer = await client.customer(**({"contact": contact} | fields))
    return await client.sent(method=method, customer={"customer_no": customer["customer_no"]})


async def _told(client: Client, billogram: Json, outcome: str) -> None:
    await client.control("POST", f"/billograms/{billogram['id']}/delivery", {"outcome": outcome})


async def _after(client: Client, billogram: Json, duration: str = "20d") -> list[tuple[str, str, str]]:
    """What came after the sending: the day, what, and by which way."""
    await client.advance(duration)
    events = (await client.get(billogram["id"]))["events"][2:]
    return [
        (event["created_at"][:10], event["type"], (event["data"] or {}).get("delivery_method", "")) for event in events
    ]


async def test_by_default_there_is_none(client: Client) -> None:
    billogram = await client.sent()
    await _told(client, billogram, "failed")
    account = await client.control("PUT", "/account", {})
    clock = await client.advance("20d")

    assert account["fallbacks"] == {}
    assert types(await client.get(billogram["id"]))[2:] == ["DeliveryFailed"]
    assert clock["next_due"] > clock["now"]


async def test_an_email_that_nobody_opens_becomes_a_text_message_and_then_a_letter(client: Client) -> None:
    billogram = await _sent(client)
    after = await _after(client, billogram)
    event = (await client.get(billogram["id"]))["events"][2]["data"]

    # A day begins in Stockholm an hour before it does in UTC.
    assert after == [("2030-03-05", "Resent", "SMS"), ("2030-03-08", "Resent", "Letter")]
    assert event.keys() == {
        "delivery_method", "letter_id", "invoice_no", "original_delivery_method", "delivery_redirected",
    }  # fmt: skip
    assert (event["original_delivery_method"], event["delivery_redirected"]) == ("Email", True)


async def test_an_email_that_failed_becomes_a_text_message_sooner(client: Client) -> None:
    billogram = await _sent(client)
    await _told(client, billogram, "failed")
    clock = await client.control("GET", "/clock")

    assert clock["next_due"] == "2030-03-02T23:00:00.000000Z"
    assert (await _after(client, billogram, "3d"))[1:] == [("2030-03-02", "Resent", "SMS")]


async def test_a_failure_that_is_known_late_falls_back_at_once(client: Client) -> None:
    billogram = await _sent(client, {"Email": CHAIN["Email"][:1]})
    await client.advance("8d")
    await _told(client, billogram, "failed")

    assert (await _after(client, billogram, "1s"))[1:] == [("2030-03-09", "Resent", "SMS")]


async def test_what_is_opened_goes_no_further_and_opened_it_stays(client: Client) -> None:
    first, second = await _sent(client), await _sent(client)
    await _told(client, first, "opened")
    await _told(client, first, "failed")
    await client.advance("5d")
    await _told(client, second, "opened")

    assert [each[1] for each in await _after(client, first)] == ["DeliveryAccepted", "DeliveryFailed"]
    assert [each[1:] for each in await _after(client, second)][:2] == [("Resent", "SMS"), ("DeliveryAccepted", "")]
    assert types(await client.get(second["id"])).count("Resent") == 1


async def test_what_is_delivered_is_not_opened(client: Client) -> None:
    billogram = await _sent(client)
    await _told(client, billogram, "delivered")

    assert [each[2] for each in await _after(client, billogram)] == ["", "SMS", "Letter"]


async def test_an_outcome_is_that_of_the_way_that_it_went_last(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("5d")
    await _told(client, billogram, "failed")

    assert types(await client.get(billogram["id"]))[2:] == ["Resent", "DeliverySmsFailed"]


@pytest.mark.parametrize("deed", ["pay", "respite", "collect"])
async def test_what_is_settled_or_at_the_collector_is_not_sent_again(client: Client, deed: str) -> None:
    """Respite is neither."""
    billogram = await _sent(client, {"Email": [{"after_days": 45, "if": "unopened", "way": "Letter"}]})
    await client.advance("40d")
    if deed == "pay":
        await client.pay(billogram["id"])
    else:
        await client.command(billogram["id"], deed, {"date": "2031-01-01"} if deed == "respite" else None)
    after = [each[1] for each in await _after(client, billogram)]

    assert ("Resent" in after) == (deed == "respite")


async def test_a_way_without_an_address_counts_as_failed_and_its_own_rules_come_next(client: Client) -> None:
    billogram = await _sent(client, contact={"email": "lisa@example.com"})
    after = await _after(client, billogram)

    assert after == [("2030-03-05", "SmsNotAccepted", ""), ("2030-03-08", "Resent", "Letter")]


@pytest.mark.parametrize(("phone", "way"), [("0700000000", "SMS"), ("", "Email")])
async def test_a_reminder_goes_by_the_way_that_it_went_last(client: Client, phone: str, way: str) -> None:
    """Not by one for which there is no address."""
    billogram = await _sent(client, {"Email": CHAIN["Email"]}, contact={"email": "lisa@example.com", "phone": phone})
    await client.advance("40d")
    reminded = data(await client.command(billogram["id"], "remind"))

    assert reminded["events"][-1]["data"]["delivery_method"] == way


async def test_no_way_is_gone_twice(client: Client) -> None:
    circle = {"Email": [{"after_days": 1, "if": "unopened", "way": "SMS"}]}
    circle["SMS"] = [{"after_days": 1, "if": "unopened", "way": "Email"}]
    billogram = await _sent(client, circle)

    assert [each[2] for each in await _after(client, billogram)] == ["SMS"]


async def test_a_new_sending_by_hand_begins_anew_by_its_own_way(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("4d")
    await client.command(billogram["id"], "resend", {"method": "Email"})

    assert [each[0] for each in await _after(client, billogram)] == ["2030-03-05", "2030-03-09", "2030-03-12"]


async def test_an_invoice_that_was_not_delivered_has_no_fallback(client: Client) -> None:
    billogram = await _sent(client, method="DoNotNotify")

    assert await _after(client, billogram) == []


async def test_rules_that_come_later_hold_for_later_invoices(client: Client) -> None:
    billogram = await _sent(client)
    kept = await client.control("PUT", "/account", {"sign_key": "s"})
    await client.control("PUT", "/account", {"fallbacks": {}})

    assert kept["fallbacks"] == CHAIN
    assert len(await _after(client, billogram)) == 2


@pytest.mark.parametrize(
    "chain",
    [
        {"Pigeon": []},
        {"Email": [{"after_days": 1, "if": "eaten", "way": "SMS"}]},
        {"Email": [{"after_days": 1, "if": "failed", "way": "EDI"}]},
        {"Email": [{"after_days": -1, "if": "failed", "way": "SMS"}]},
        {"Email": [{"if": "failed", "way": "SMS"}]},
    ],
)
async def test_a_chain_that_makes_no_sense_is_refused(client: Client, chain: Json) -> None:
    assert (await client.http.put("/sandbox/account", json={"fallbacks": chain})).status_code == 400
