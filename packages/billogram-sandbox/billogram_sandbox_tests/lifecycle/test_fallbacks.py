"""Fallbacks to another delivery method, by the account's rules."""

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


async def _report(client: Client, billogram: Json, outcome: str) -> None:
    await client.control("POST", f"/billograms/{billogram['id']}/delivery", {"outcome": outcome})


async def _after(client: Client, billogram: Json, duration: str = "20d") -> list[tuple[str, str, str]]:
    """Day, event type, and method of what followed the sending."""
    await client.advance(duration)
    events = (await client.get(billogram["id"]))["events"][2:]
    return [
        (event["created_at"][:10], event["type"], (event["data"] or {}).get("delivery_method", "")) for event in events
    ]


async def test_there_are_no_fallbacks_by_default(client: Client) -> None:
    billogram = await client.sent()
    await _report(client, billogram, "failed")
    account = await client.control("PUT", "/account", {})
    clock = await client.advance("20d")

    assert account["fallbacks"] == {}
    assert types(await client.get(billogram["id"]))[2:] == ["DeliveryFailed"]
    assert clock["next_due"] > clock["now"]


async def test_unopened_email_falls_back_to_sms_then_letter(client: Client) -> None:
    billogram = await _sent(client)
    after = await _after(client, billogram)
    event = (await client.get(billogram["id"]))["events"][2]["data"]

    # In Stockholm a day starts an hour before it does in UTC.
    assert after == [("2030-03-05", "Resent", "SMS"), ("2030-03-08", "Resent", "Letter")]
    assert event.keys() == {
        "delivery_method", "letter_id", "invoice_no", "original_delivery_method", "delivery_redirected",
    }  # fmt: skip
    assert (event["original_delivery_method"], event["delivery_redirected"]) == ("Email", True)


async def test_failed_email_falls_back_to_sms_sooner(client: Client) -> None:
    billogram = await _sent(client)
    await _report(client, billogram, "failed")
    clock = await client.control("GET", "/clock")

    assert clock["next_due"] == "2030-03-02T23:00:00.000000Z"
    assert (await _after(client, billogram, "3d"))[1:] == [("2030-03-02", "Resent", "SMS")]


async def test_late_failure_falls_back_immediately(client: Client) -> None:
    billogram = await _sent(client, {"Email": CHAIN["Email"][:1]})
    await client.advance("8d")
    await _report(client, billogram, "failed")

    assert (await _after(client, billogram, "1s"))[1:] == [("2030-03-09", "Resent", "SMS")]


async def test_opened_invoice_has_no_fallback(client: Client) -> None:
    first, second = await _sent(client), await _sent(client)
    await _report(client, first, "opened")
    await _report(client, first, "failed")
    await client.advance("5d")
    await _report(client, second, "opened")

    assert [each[1] for each in await _after(client, first)] == ["DeliveryAccepted", "DeliveryFailed"]
    assert [each[1:] for each in await _after(client, second)][:2] == [("Resent", "SMS"), ("DeliveryAccepted", "")]
    assert types(await client.get(second["id"])).count("Resent") == 1


async def test_delivered_invoice_is_not_opened(client: Client) -> None:
    billogram = await _sent(client)
    await _report(client, billogram, "delivered")

    assert [each[2] for each in await _after(client, billogram)] == ["", "SMS", "Letter"]


async def test_outcome_is_of_the_last_method(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("5d")
    await _report(client, billogram, "failed")

    assert types(await client.get(billogram["id"]))[2:] == ["Resent", "DeliverySmsFailed"]


@pytest.mark.parametrize("action", ["pay", "respite", "collect"])
async def test_settled_or_collected_invoice_has_no_fallback(client: Client, action: str) -> None:
    """Respite is neither, so it has a fallback."""
    billogram = await _sent(client, {"Email": [{"after_days": 45, "if": "unopened", "way": "Letter"}]})
    await client.advance("40d")
    if action == "pay":
        await client.pay(billogram["id"])
    else:
        await client.command(billogram["id"], action, {"date": "2031-01-01"} if action == "respite" else None)
    after = [each[1] for each in await _after(client, billogram)]

    assert ("Resent" in after) == (action == "respite")


async def test_method_without_address_counts_as_failed(client: Client) -> None:
    billogram = await _sent(client, contact={"email": "lisa@example.com"})
    after = await _after(client, billogram)

    assert after == [("2030-03-05", "SmsNotAccepted", ""), ("2030-03-08", "Resent", "Letter")]


@pytest.mark.parametrize(("phone", "way"), [("0700000000", "SMS"), ("", "Email")])
async def test_reminder_is_sent_by_the_last_method(client: Client, phone: str, way: str) -> None:
    """Unless there is no address for it."""
    billogram = await _sent(client, {"Email": CHAIN["Email"]}, contact={"email": "lisa@example.com", "phone": phone})
    await client.advance("40d")
    reminded = data(await client.command(billogram["id"], "remind"))

    assert reminded["events"][-1]["data"]["delivery_method"] == way


async def test_no_method_is_used_twice(client: Client) -> None:
    circle = {"Email": [{"after_days": 1, "if": "unopened", "way": "SMS"}]}
    circle["SMS"] = [{"after_days": 1, "if": "unopened", "way": "Email"}]
    billogram = await _sent(client, circle)

    assert [each[2] for each in await _after(client, billogram)] == ["SMS"]


async def test_manual_resend_restarts_the_fallbacks_of_its_method(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("4d")
    await client.command(billogram["id"], "resend", {"method": "Email"})

    assert [each[0] for each in await _after(client, billogram)] == ["2030-03-05", "2030-03-09", "2030-03-12"]


async def test_undelivered_invoice_has_no_fallback(client: Client) -> None:
    billogram = await _sent(client, method="DoNotNotify")

    assert await _after(client, billogram) == []


async def test_new_fallback_rules_hold_for_later_invoices(client: Client) -> None:
    billogram = await _sent(client)
    settings = await client.control("PUT", "/account", {"sign_key": "s"})
    await client.control("PUT", "/account", {"fallbacks": {}})

    assert settings["fallbacks"] == CHAIN
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
async def test_invalid_fallbacks_are_refused(client: Client, chain: Json) -> None:
    assert (await client.http.put("/sandbox/account", json={"fallbacks": chain})).status_code == 400
