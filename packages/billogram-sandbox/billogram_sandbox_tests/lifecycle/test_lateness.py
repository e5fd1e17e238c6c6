"""Late payment: overdue, reminders, fees, respite."""

from decimal import Decimal

import pytest

from billogram_sandbox_tests.client import Client, Json, data, problem, types

LADDER: list[Json] = [{"delay_days": 5, "message": "Har du glömt?"}, {"delay_days": 10, "message": None}]
NOON = "2030-03-01T12:00:00Z"


async def test_invoice_without_interest_only_becomes_overdue(client: Client) -> None:
    billogram = await client.sent(interest_rate=0)
    clock = await client.advance("1y")
    late = await client.get(billogram["id"])

    assert (billogram["automatic_reminders"], billogram["automatic_reminders_settings"]) == (False, [])
    assert types(late)[2:] == ["Overdue"]
    assert (late["state"], late["remaining_sum"], clock["next_due"]) == ("Overdue", 149, None)


async def test_reminder_fee_adds_to_the_remainder_only(client: Client) -> None:
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
    reminder = once["events"][-1]["data"]
    assert reminder.pop("letter_id").startswith(billogram["id"])
    assert reminder == {
        "delivery_method": "Letter", "reminder_fee": 50, "reminder_count": 1, "message": "Hej", "total_sum": 149,
        "remaining_sum": 199,
    }  # fmt: skip
    assert (many["state"], many["reminder_count"]) == ("Reminder_Many", 4)
    assert (many["detailed_sums"]["reminder_fee"], many["remaining_sum"]) == (200, 349)


async def test_automatic_reminders_follow_each_other(client: Client) -> None:
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
async def test_billograms_reminder_settings_override_the_accounts(client: Client, fields: Json, reminded: int) -> None:
    await client.control("PUT", "/account", {"automatic_reminders": LADDER})
    billogram = await client.sent(**fields)
    await client.advance("1y")

    assert (await client.get(billogram["id"]))["reminder_count"] == reminded


async def test_account_settings_stay_until_changed(client: Client) -> None:
    await client.control("PUT", "/account", {"automatic_reminders": LADDER, "default_reminder_fee": 45})
    settings = await client.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/", "sign_key": "s"})
    off = await client.control("PUT", "/account", {"automatic_reminders": []})
    unknown = await client.http.put("/sandbox/account", json={"colour": "red"})

    assert (settings["automatic_reminders"], settings["default_reminder_fee"]) == (LADDER, 45)
    assert (off["automatic_reminders"], off["default_reminder_fee"], off["callback_url"]) == ([], 45, None)
    assert unknown.status_code == 400


async def test_reminder_message_is_optional(client: Client) -> None:
    """Regression: without it, the move of the clock was a 500."""
    await client.control("PUT", "/account", {"automatic_reminders": [{"delay_days": 1}]})
    by_account = await client.sent(due_days=1)
    draft = await client.draft(due_days=1)
    await client.api("PUT", f"/billogram/{draft['id']}", {"automatic_reminders_settings": [{"delay_days": 2}]})
    by_change = data(await client.command(draft["id"], "send", {"method": "Email"}))
    await client.advance("9d")

    for billogram in (by_account, by_change):
        assert (await client.get(billogram["id"]))["state"] == "Reminder_1"


async def test_reminders_stop_once_the_principal_is_settled(client: Client) -> None:
    ladder = [{"delay_days": days} for days in (1, 1, 1, 1)]
    paid, fees = [await client.sent(due_days=1, automatic_reminders_settings=ladder) for _ in range(2)]
    await client.advance("2d")
    await client.pay(paid["id"])
    await client.pay(fees["id"], amount="149")
    await client.advance("30d")
    after = await client.get(fees["id"])

    assert (after["state"], after["remaining_sum"], after["reminder_count"]) == ("PartlyPaid", 60, 1)
    assert (await client.get(paid["id"]))["reminder_count"] == 1


async def test_reminder_by_command_replaces_the_next_automatic_one(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10, automatic_reminders_settings=LADDER)
    await client.advance("12d")
    await client.command(billogram["id"], "remind")
    clock = await client.control("GET", "/clock")

    assert clock["next_due"] == "2030-03-22T23:00:00.000000Z"


async def test_respite_postpones_overdue(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10, automatic_reminders_settings=LADDER[:1])
    granted = data(await client.command(billogram["id"], "respite", {"date": "2030-04-10"}))
    postponed = await client.control("GET", "/clock")
    await client.advance("20d")
    waiting = await client.get(billogram["id"])
    removed = data(await client.command(billogram["id"], "remove-respite"))
    again = await client.command(billogram["id"], "remove-respite")
    await client.advance("1s")
    late = await client.get(billogram["id"])

    assert (granted["respite_date"], granted["due_date"]) == ("2030-04-10", "2030-03-11")
    assert postponed["next_due"] == "2030-04-10T22:00:00.000000Z"
    assert waiting["state"] == "Unpaid"
    assert removed["respite_date"] is None
    assert problem(again)[1] == "INVALID_OBJECT_STATE"
    assert types(late)[2:] == ["Respite", "RespiteRemoved", "Overdue", "InterestStarted", "ReminderSent"]
    assert [event["data"] for event in late["events"][2:4]] == [{"date": "2030-04-10"}] * 2


@pytest.mark.parametrize("date", ["2030-03-11", "2020-01-01", "tomorrow", None])
async def test_respite_must_end_after_the_due_date(client: Client, date: str | None) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10)

    refused = await client.command(billogram["id"], "respite", {"date": date})
    assert problem(refused) == (400, "INVALID_PARAMETER", "date", None)


async def test_respite_postpones_the_next_reminder(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    billogram = await client.sent(due_days=10, automatic_reminders_settings=LADDER)
    await client.advance("16d")
    await client.command(billogram["id"], "respite", {"date": "2030-05-01"})

    assert (await client.control("GET", "/clock"))["next_due"] == "2030-05-01T22:00:00.000000Z"


SOFT: list[Json] = [{"delay_days": 3, "message": "Kanske korsades breven"}, {"delay_days": 0, "message": "I dag!"}]


async def test_soft_reminder_is_free_and_not_counted(client: Client) -> None:
    await client.control("POST", "/clock", {"set": NOON})
    await client.control("PUT", "/account", {"soft_reminders": SOFT})
    billogram = await client.sent(due_days=10, interest_rate=0)
    due = [(await client.advance("1s"))["next_due"]]
    for _ in range(3):
        due.append((await client.control("POST", "/clock", {"set": due[-1]}))["next_due"])
    late = await client.get(billogram["id"])
    reminders = [event["data"] for event in late["events"] if event["type"] == "ReminderSent"]

    assert due == ["2030-03-10T23:00:00.000000Z", "2030-03-11T23:00:00.000000Z", "2030-03-13T23:00:00.000000Z", None]
    assert types(late)[2:] == ["ReminderSent", "Overdue", "ReminderSent"]
    assert [each["message"] for each in reminders] == ["I dag!", "Kanske korsades breven"]
    assert [(each["reminder_fee"], each["reminder_count"], each["remaining_sum"]) for each in reminders] == [
        (0, 0, 149)
    ] * 2
    assert (late["state"], late["reminder_count"], late["remaining_sum"]) == ("Overdue", 0, 149)


async def test_past_soft_reminder_is_skipped(client: Client) -> None:
    """Due on the day of sending; paid; respite removed afterwards."""
    await client.control("PUT", "/account", {"soft_reminders": SOFT[1:]})
    at_once, paid, moved = [await client.sent(due_days=days) for days in (0, 5, 5)]
    await client.pay(paid["id"])
    await client.command(moved["id"], "respite", {"date": "2999-01-01"})
    await client.advance("10d")
    await client.command(moved["id"], "remove-respite")
    await client.advance("1d")

    reminded = [types(await client.get(each["id"])).count("ReminderSent") for each in (at_once, paid, moved)]
    assert reminded == [0, 0, 0]


async def test_disabled_reminders_disable_soft_reminders(client: Client) -> None:
    await client.control("PUT", "/account", {"soft_reminders": SOFT, "automatic_reminders": LADDER})
    silences: list[Json] = [{"automatic_reminders": False}, {"automatic_reminders_settings": []}]
    silent = [await client.sent(**each) for each in silences]
    await client.advance("1y")

    assert ["ReminderSent" in types(await client.get(each["id"])) for each in silent] == [False, False]


@pytest.mark.parametrize(
    ("rule", "reminded"),
    [
        ({"automatic_reminders_minimum_principal_sum": "149"}, (2, 0)),
        ({"automatic_reminders_minimum_principal_sum": "149.01"}, (0, 0)),
        ({"use_automatic_reminders_partly_paid": False}, (2, 0)),
        ({}, (2, 2)),
    ],
)
async def test_reminders_may_skip_small_and_partly_paid_invoices(
    client: Client, rule: Json, reminded: tuple[int, int]
) -> None:
    await client.control("PUT", "/account", {"automatic_reminders": LADDER} | rule)
    whole, part = await client.sent(), await client.sent()
    await client.pay(part["id"], amount="1")
    await client.advance("1y")

    counts = [(await client.get(each["id"]))["reminder_count"] for each in (whole, part)]
    assert tuple(counts) == reminded


CAPS = [
    ("individual", "SEK", "60", True),
    ("individual", "SEK", "60.01", False),
    ("foreign individual", "SEK", "61", False),
    ("business", "SEK", "450", True),
    ("business", "SEK", "450.01", False),
    ("individual", "NOK", "70", True),
]


@pytest.mark.parametrize(("company_type", "currency", "fee", "allowed"), CAPS)
async def test_reminder_fee_above_the_legal_limit_is_refused(
    client: Client, company_type: str, currency: str, fee: str, *, allowed: bool
) -> None:
    """lag (1981:739) §§ 4 and 4 a: 60 kronor, between businesses 450. Other countries have no limit here."""
    customer = {"customer_no": (await client.customer(company_type=company_type))["customer_no"]}
    made = await client.try_draft(customer=customer, currency=currency, reminder_fee=fee)
    draft = await client.draft(customer=customer, currency=currency, reminder_fee=0)
    changed = await client.api("PUT", f"/billogram/{draft['id']}", {"reminder_fee": fee})

    for answer in (made, changed):
        if allowed:
            assert data(answer)["reminder_fee"] == Decimal(fee)
        else:
            assert problem(answer) == (400, "INVALID_PARAMETER", "reminder_fee", None)


@pytest.mark.parametrize(
    "setting", [{"default_reminder_fee": "60.01"}, {"collection_fee": "180.01"}, {"plan_fee": "170.01"}]
)
async def test_account_fee_above_the_legal_limit_is_refused(client: Client, setting: Json) -> None:
    refused = await client.http.put("/sandbox/account", json=setting)

    assert (refused.status_code, list(refused.json())) == (400, ["error"])


async def test_business_compensation_is_owed_once(client: Client) -> None:
    """§ 4 a: it replaces the fees for reminders and collection."""
    billogram = await client.sent(reminder_fee=450, due_days=1)
    await client.advance("2d")
    once, twice = [data(await client.command(billogram["id"], "remind")) for _ in range(2)]
    await client.command(billogram["id"], "collect")
    await client.advance("1d")
    books = await client.control("GET", f"/billograms/{billogram['id']}/collector")

    assert (once["remaining_sum"], twice["remaining_sum"], twice["reminder_count"]) == (599, 599, 2)
    assert [each["events"][-1]["data"]["reminder_fee"] for each in (once, twice)] == [450, 0]
    assert books["collection_fee"] == 0
