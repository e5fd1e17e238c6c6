"""Collection: the collector's reports, and its books."""

import pytest

from billogram_sandbox_tests.client import Client, Json, data, types


async def test_collection_starts_the_next_day_with_its_own_sums(client: Client) -> None:
    billogram = await client.sent(due_days=1)
    await client.advance("2d")
    collecting = data(await client.command(billogram["id"], "collect"))
    early = await client.http.post(f"/sandbox/billograms/{billogram['id']}/collector", json={"outcome": "paid"})
    await client.advance("1d")
    some = await _collector(client, billogram, "paid", amount="49")
    paid = await _collector(client, billogram, "paid")

    assert (collecting["state"], early.status_code) == ("Collecting", 409)
    assert collecting["events"][-1]["data"]["amount"] == 149
    assert (some["state"], some["remaining_sum"]) == ("Collection", 100)
    assert (paid["state"], paid["flags"]) == ("Paid", ["paid on collection"])
    assert (paid["detailed_sums"]["paid_sum"], paid["detailed_sums"]["collector_paid_sum"]) == (0, -149)
    assert types(paid)[4:] == [
        "Collection", "CollectionStatusUpdate", "CollectorPayment", "CollectorPayment", "BillogramEnded",
    ]  # fmt: skip


async def test_cancelled_collection_returns_late_and_ended_one_may_be_lost(client: Client) -> None:
    billogram = await client.sent(due_days=1)
    await client.advance("2d")
    await client.command(billogram["id"], "collect")
    back = await _collector(client, billogram, "cancelled")
    await client.command(billogram["id"], "collect")
    await client.advance("1d")
    ended = await _collector(client, billogram, "ended")
    lost = data(await client.command(billogram["id"], "confirmed-loss"))

    assert (back["state"], back["events"][-1]["type"]) == ("Overdue", "CollectionCancelled")
    assert (ended["state"], ended["remaining_sum"]) == ("CollectorEnded", 149)
    assert types(ended)[-2:] == ["CollectionEnded", "BillogramEnded"]
    assert (lost["state"], lost["remaining_sum"]) == ("Ended", 0)


async def _collector(client: Client, billogram: Json, outcome: str, **how: object) -> Json:
    return await client.control("POST", f"/billograms/{billogram['id']}/collector", {"outcome": outcome} | how)


async def _in_collection(client: Client, currency: str = "SEK") -> Json:
    billogram = await client.sent(due_days=1, currency=currency)
    await client.advance("2d")
    await client.command(billogram["id"], "collect")
    await client.advance("1d")
    return billogram


async def _books(client: Client, billogram: Json) -> Json:
    return await client.control("GET", f"/billograms/{billogram['id']}/collector")


async def test_collectors_fee_is_in_its_books_only(client: Client) -> None:
    billogram = await _in_collection(client)
    before = await _books(client, billogram)
    await _collector(client, billogram, "paid", amount="100")
    part = await _books(client, billogram)
    paid = await _collector(client, billogram, "paid")
    after = await _books(client, billogram)

    fee = {"collection_fee": 180, "plan_fee": 0}
    assert before == fee | {"received": 0, "passed_on": 0, "kept": 0, "claim": 149, "fees_left": 180}
    assert part == fee | {"received": 100, "passed_on": 100, "kept": 0, "claim": 49, "fees_left": 180}
    assert after == fee | {"received": 329, "passed_on": 149, "kept": 180, "claim": 0, "fees_left": 0}
    assert (paid["remaining_sum"], paid["detailed_sums"]["collector_paid_sum"]) == (0, -149)
    assert paid["events"][-2]["data"]["amount"] == 49


@pytest.mark.parametrize(("amount", "passed_on"), [("149", 149), ("200", 149), ("329", 149), ("330", 150)])
async def test_collector_payment_covers_claim_then_fee(client: Client, amount: str, passed_on: int) -> None:
    billogram = await _in_collection(client)
    paid = await _collector(client, billogram, "paid", amount=amount)

    assert paid["state"] == "Paid"
    assert (await _books(client, billogram))["passed_on"] == -paid["detailed_sums"]["collector_paid_sum"] == passed_on


async def test_instalment_plan_costs_its_fee_once(client: Client) -> None:
    billogram = await _in_collection(client)
    planned = await _collector(client, billogram, "plan")
    again = await client.http.post(f"/sandbox/billograms/{billogram['id']}/collector", json={"outcome": "plan"})

    assert (planned["state"], planned["events"][-1]["type"]) == ("Collection", "CollectionStatusUpdate")
    assert planned["events"][-1]["data"]["full_status"] == "PaymentPlan"
    assert (await _books(client, billogram))["fees_left"] == 350
    assert again.status_code == 409


async def test_account_may_have_lower_collector_fees(client: Client) -> None:
    await client.control("PUT", "/account", {"collection_fee": 90, "plan_fee": 0})
    billogram = await _in_collection(client)
    foreign = await _in_collection(client, currency="EUR")

    assert [(await _books(client, each))["collection_fee"] for each in (billogram, foreign)] == [90, 0]


async def test_billogram_without_collection_has_no_books(client: Client) -> None:
    billogram = await client.sent()

    assert (await client.http.get(f"/sandbox/billograms/{billogram['id']}/collector")).status_code == 409


async def test_payment_after_ended_collection_settles_the_billogram(client: Client) -> None:
    billogram = await _in_collection(client)
    await _collector(client, billogram, "ended")
    part = await client.pay(billogram["id"], amount="49")
    paid = await client.pay(billogram["id"])

    assert [(each["state"], each["remaining_sum"]) for each in (part, paid)] == [("CollectorEnded", 100), ("Paid", 0)]
    assert types(paid)[-2:] == ["Payment", "BillogramEnded"]


async def test_collection_is_automatic_after_the_last_reminder(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    ladder = [{"delay_days": 5}, {"delay_days": 10}]
    billogram = await client.sent(
        due_days=10, automatic_reminders_settings=ladder, automatic_collection={"delay_days": 7, "amount": 100}
    )
    await client.advance("60d")
    collected = await client.get(billogram["id"])

    assert types(collected)[4:] == ["ReminderSent", "ReminderSent", "Collection", "CollectionStatusUpdate"]
    assert [event["created_at"][:10] for event in collected["events"][4:]] == [
        "2030-03-15", "2030-03-25", "2030-04-01", "2030-04-02",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "state"),
    [
        (None, "Collection"),
        ({"use_default_settings": True}, "Collection"),
        ({"use_default_settings": False}, "Overdue"),
        ({"delay_days": 7, "amount": 150}, "Overdue"),
    ],
)
async def test_billograms_collection_settings_override_the_accounts(
    client: Client, own: Json | None, state: str
) -> None:
    await client.control("PUT", "/account", {"automatic_collection": {"delay_days": 7, "amount": 149}})
    billogram = await client.sent(automatic_collection=own)
    await client.advance("60d")

    assert (await client.get(billogram["id"]))["state"] == state


async def test_cancelled_collection_is_not_repeated_automatically(client: Client) -> None:
    billogram = await client.sent(automatic_collection={"delay_days": 7})
    await client.advance("60d")
    await _collector(client, billogram, "cancelled")
    await client.advance("60d")

    assert (await client.get(billogram["id"]))["state"] == "Overdue"
