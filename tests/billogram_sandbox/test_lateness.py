"""Being late: reminders by command and by the clock, respite, and collection."""

import pytest

from tests.billogram_sandbox.calling import Client, Json, data, problem, types

LADDER: list[Json] = [{"delay_days": 5, "message": "Har du glömt?"}, {"delay_days": 10, "message": None}]
NOON = "2030-03-01T12:00:00Z"


async def test_a_plain_invoice_without_interest_only_becomes_overdue(client: Client) -> None:
    billogram = await client.sent(interest_rate=0)
    clock = await client.advance("1y")
    late = await client.get(billogram["id"])

    assert (billogram["automatic_reminders"], billogram["automatic_reminders_settings"]) == (False, [])
    assert types(late)[2:] == ["Overdue"]
    assert (late["state"], late["remaining_sum"], clock["next_due"]) == ("Overdue", 149, None)


async def test_a_reminder_by_command_adds_its_fee_to_what_remains_and_not_to_the_total(client: Client) -> None:
    billogram = await client.sent(due_days=5, reminder_fee=50)
    early = await client.command(billogram["id"], "remind")
    await client.advance("6d")
    once = data(await client.command(billogram["id"], "remind", {"method": "Letter", "message": "Hej"}))
    for _ in range(3):
        await client.command(billogram["id"], "remind")
    many = await client.get(billogram["id"])

    assert problem(early)[1] == "INVALID_OBJECT_STATE"
    assert (once["state"], once["reminder_count"], once["total_sum"], once["remaining_sum"]) == (
        "Reminder_1", 1, 149, 199,
    )  # fmt: skip
    told = once["events"][-1]["data"]
    assert told.pop("letter_id").startswith(billogram["id"])
    assert told == {
        "delivery_method": "Letter", "reminder_fee": 50, "reminder_count": 1, "message": "Hej", "total_sum": 149,
        "remaining_sum": 199,
    }  # fmt: skip
    assert (many["state"], many["reminder_count"]) == ("Reminder_Many", 4)
    assert (many["detailed_sums"]["reminder_fee"], many["remaining_sum"]) == (200, 349)


async def test_the_accounts_reminders_go_by_themselves_one_after_the_other(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    await client.control("PUT", "/account", {"automatic_reminders": LADDER, "default_reminder_fee": 45})
    billogram = await client.sent(due_days=10, interest_rate=0)
    due = [(await client.advance("10d"))["next_due"]]
    for _ in range(3):
        due.append((await client.control("POST", "/clock", {"set": due[-1]}))["next_due"])
    late = await client.get(billogram["id"])

    assert billogram["automatic_reminders_settings"] == LADDER
    assert due == ["2030-03-11T23:00:00.000000Z", "2030-03-15T23:00:00.000000Z", "2030-03-25T23:00:00.000000Z", None]
    assert types(late)[2:] == ["Overdue", "ReminderSent", "ReminderSent"]
    assert [event["created_at"] for event in late["events"][3:]] == ["2030-03-15 23:00:00", "2030-03-25 23:00:00"]
    assert [event["data"]["message"] for event in late["events"][3:]] == ["Har du glömt?", None]
    assert (late["state"], late["remaining_sum"]) == ("Reminder_2", 239)


@pytest.mark.parametrize(
    ("fields", "reminded"),
    [
        ({}, 2),
        ({"automatic_reminders_settings": None}, 2),
        ({"automatic_reminders": False}, 0),
        ({"automatic_reminders_settings": []}, 0),
        ({"automatic_reminders_settings": [{"delay_days": 0}]}, 1),
        ({"automatic_reminders_settings": [{"delay_days": 0}], "automatic_reminders": False}, 0),
    ],
)
async def test_a_billograms_own_settings_win_over_the_accounts(client: Client, fields: Json, reminded: int) -> None:
    await client.control("PUT", "/account", {"automatic_reminders": LADDER})
    billogram = await client.sent(**fields)
    await client.advance("1y")

    assert (await client.get(billogram["id"]))["reminder_count"] == reminded


async def test_new_settings_of_the_account_stay_until_new_ones_are_given(client: Client) -> None:
    await client.control("PUT", "/account", {"automatic_reminders": LADDER, "default_reminder_fee": 45})
    kept = await client.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/", "sign_key": "s"})
    off = await client.control("PUT", "/account", {"automatic_reminders": []})
    unknown = await client.http.put("/sandbox/account", json={"colour": "red"})

    assert (kept["automatic_reminders"], kept["default_reminder_fee"]) == (LADDER, 45)
    assert (off["automatic_reminders"], off["default_reminder_fee"], off["callback_url"]) == ([], 45, None)
    assert unknown.status_code == 400


async def test_reminders_stop_once_only_fees_remain_or_it_is_settled(client: Client) -> None:
    ladder = [{"delay_days": days} for days in (1, 1, 1, 1)]
    paid, fees = [await client.sent(due_days=1, automatic_reminders_settings=ladder) for _ in range(2)]
    await client.advance("2d")
    await client.pay(paid["id"])
    await client.pay(fees["id"], amount="149")
    await client.advance("30d")
    after = await client.get(fees["id"])

    assert (after["state"], after["remaining_sum"], after["reminder_count"]) == ("PartlyPaid", 60, 1)
    assert (await client.get(paid["id"]))["reminder_count"] == 1


async def test_a_reminder_by_command_takes_the_place_of_the_next_automatic_one(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10, automatic_reminders_settings=LADDER)
    await client.advance("12d")
    await client.command(billogram["id"], "remind")
    clock = await client.control("GET", "/clock")

    assert clock["next_due"] == "2030-03-22T23:00:00.000000Z"


async def test_respite_puts_off_being_late_and_its_end_is_watched(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10, automatic_reminders_settings=LADDER[:1])
    granted = data(await client.command(billogram["id"], "respite", {"date": "2030-04-10"}))
    put_off = await client.control("GET", "/clock")
    await client.advance("20d")
    waiting = await client.get(billogram["id"])
    removed = data(await client.command(billogram["id"], "remove-respite"))
    again = await client.command(billogram["id"], "remove-respite")
    await client.advance("1s")
    late = await client.get(billogram["id"])

    assert (granted["respite_date"], granted["due_date"]) == ("2030-04-10", "2030-03-11")
    assert put_off["next_due"] == "2030-04-10T22:00:00.000000Z"
    assert waiting["state"] == "Unpaid"
    assert removed["respite_date"] is None
    assert problem(again)[1] == "INVALID_OBJECT_STATE"
    assert types(late)[2:] == ["Respite", "RespiteRemoved", "Overdue", "InterestStarted", "ReminderSent"]
    assert [event["data"] for event in late["events"][2:4]] == [{"date": "2030-04-10"}] * 2


@pytest.mark.parametrize("date", ["2030-03-11", "2020-01-01", "tomorrow", None])
async def test_respite_ends_on_a_later_day_than_the_due_date(client: Client, date: str | None) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10)

    refused = await client.command(billogram["id"], "respite", {"date": date})
    assert problem(refused) == (400, "INVALID_PARAMETER", "date", None)


async def test_respite_of_one_that_was_reminded_puts_off_the_next_reminder(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10, automatic_reminders_settings=LADDER)
    await client.advance("16d")
    await client.command(billogram["id"], "respite", {"date": "2030-05-01"})

    assert (await client.control("GET", "/clock"))["next_due"] == "2030-05-01T22:00:00.000000Z"


async def test_collection_begins_the_day_after_and_what_the_collector_gets_is_kept_apart(client: Client) -> None:
    billogram = await client.sent(due_days=1)
    await client.advance("2d")
    asked = data(await client.command(billogram["id"], "collect"))
    early = await client.http.post(f"/sandbox/billograms/{billogram['id']}/collector", json={"outcome": "paid"})
    await client.advance("1d")
    some = await _collector(client, billogram, "paid", amount="49")
    paid = await _collector(client, billogram, "paid")

    assert (asked["state"], early.status_code) == ("Collecting", 409)
    assert asked["events"][-1]["data"]["amount"] == 149
    assert (some["state"], some["remaining_sum"]) == ("Collection", 100)
    assert (paid["state"], paid["flags"]) == ("Paid", ["paid on collection"])
    assert (paid["detailed_sums"]["paid_sum"], paid["detailed_sums"]["collector_paid_sum"]) == (0, -149)
    assert types(paid)[4:] == [
        "Collection", "CollectionStatusUpdate", "CollectorPayment", "CollectorPayment", "BillogramEnded",
    ]  # fmt: skip


async def test_a_collection_that_is_cancelled_comes_back_late_and_one_that_ended_may_be_lost(client: Client) -> None:
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
