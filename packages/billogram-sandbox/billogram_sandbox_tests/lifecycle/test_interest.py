"""Interest: start, principal, amount, end."""

from decimal import Decimal

import pytest

from billogram_sandbox.rules.interest import PER_HUNDREDTH, chargeable
from billogram_sandbox_tests.client import Client, Json, data, ok, problem, row, types

NOON = "2030-03-01T12:00:00Z"


async def _sent(client: Client, **fields: object) -> Json:
    """10,000 kronor, sent on the first of March and due on the eleventh."""
    if (await client.control("GET", "/clock"))["now"] < "2030":
        await client.control("POST", "/clock", {"set": NOON})
    usual: Json = {"items": [row(price=10000, vat=0)], "due_days": 10, "interest_rate": 10}
    return await client.sent(**(usual | fields))


async def _fee(client: Client, billogram: Json, days: int) -> Decimal:
    await client.advance(f"{days}d")
    shown = await client.get(billogram["id"])
    assert shown["interest_fee"] == shown["detailed_sums"]["interest_fee"]
    assert shown["remaining_sum"] == shown["detailed_sums"]["remaining_sum"]
    return Decimal(shown["interest_fee"])


async def test_interest_starts_the_day_after_the_due_date(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("11d")
    late = await client.get(billogram["id"])

    assert types(late)[2:] == ["Overdue", "InterestStarted"]
    assert late["events"][3]["data"] == {"interest_rate": 10}
    assert late["events"][3]["created_at"] == "2030-03-11 23:00:00"


async def test_interest_accrues_daily_and_is_rounded_once(client: Client) -> None:
    """2.739726 a day, accrued on reading."""
    billogram = await _sent(client)
    fees = [await _fee(client, billogram, days) for days in (10, 4, 1, 358)]
    clock = await client.control("GET", "/clock")

    assert fees == [0, Decimal("10.96"), Decimal("13.70"), Decimal("994.52")]
    assert clock["next_due"] is None


async def test_interest_matches_the_published_example(client: Client) -> None:
    """299.00 for 30 days at 11 % is 2.70, which is too little; a hundred times as much is charged."""
    small = await _sent(client, items=[row(price=299, vat=0)], interest_rate=11)
    large = await client.sent(items=[row(price=29900, vat=0)], due_days=10, interest_rate=11)

    assert await _fee(client, small, 40) == 0
    assert await _fee(client, large, 0) == Decimal("270.33")


@pytest.mark.parametrize(("hundredths", "fee"), [(999, 0), (1000, 10), (999.5, 10), (999.49, 0)])
def test_interest_below_ten_kronor_is_not_charged(hundredths: float, fee: int) -> None:
    assert chargeable(int(Decimal(str(hundredths)) * PER_HUNDREDTH)) == fee


async def test_interest_is_on_the_remaining_principal_only(client: Client) -> None:
    billogram = await _sent(client, reminder_fee=60)
    await client.advance("20d")
    await client.command(billogram["id"], "remind")
    await client.pay(billogram["id"], amount="5000")
    half = await _fee(client, billogram, 10)
    await client.pay(billogram["id"], amount="5000")
    none = [await _fee(client, billogram, days) for days in (0, 100)]
    after = await client.get(billogram["id"])

    # Ten days on 10,000, ten on 5,000, none on the reminder fee of 60.
    assert half == Decimal("41.10")
    assert none == [half, half]
    assert (after["state"], after["remaining_sum"]) == ("PartlyPaid", Decimal("101.10"))


async def test_payment_in_time_bears_no_interest(client: Client) -> None:
    billogram = await _sent(client)
    await client.pay(billogram["id"], amount="4000")
    await client.advance("10d")
    paid = await client.pay(billogram["id"])
    later = await _fee(client, billogram, 365)

    assert (paid["state"], paid["remaining_sum"]) == ("Paid", 0)
    assert later == 0


async def test_late_payment_of_the_shown_amount_settles(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("40d")
    paid = await client.pay(billogram["id"])

    assert (paid["state"], paid["remaining_sum"]) == ("Paid", 0)
    assert paid["events"][-2]["data"]["amount"] == Decimal("10082.19")


async def test_late_payment_of_the_principal_leaves_the_interest(client: Client) -> None:
    little, much = await _sent(client), await _sent(client)
    await client.advance("13d")
    paid = await client.pay(little["id"], amount="10000")
    await client.advance("2d")
    part = await client.pay(much["id"], amount="10000")
    waived = data(await client.command(much["id"], "writeoff"))

    assert (paid["state"], paid["remaining_sum"]) == ("Paid", 0)
    assert (part["state"], part["remaining_sum"]) == ("PartlyPaid", Decimal("13.70"))
    assert (waived["state"], waived["remaining_sum"]) == ("Paid", 0)


async def test_new_rate_counts_from_its_day(client: Client) -> None:
    """The account's rate is the default."""
    await client.control("PUT", "/account", {"default_interest_rate": "12.5"})
    own, given_ = await client.draft(), await client.draft(interest_rate=3)

    assert [each["interest_rate"] for each in (own, given_)] == [Decimal("12.5"), 3]


async def test_respite_of_a_late_billogram_pauses_interest(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("20d")
    ok(await client.command(billogram["id"], "respite", {"date": "2030-04-20"}))
    fees = [await _fee(client, billogram, days) for days in (0, 30, 10)]

    assert fees == [Decimal("27.40"), Decimal("27.40"), Decimal("54.79")]


async def test_respite_in_time_postpones_interest(client: Client) -> None:
    billogram = await _sent(client)
    ok(await client.command(billogram["id"], "respite", {"date": "2030-04-10"}))
    fees = [await _fee(client, billogram, days) for days in (40, 10)]

    assert fees == [0, Decimal("27.40")]
    assert types(await client.get(billogram["id"]))[2:] == ["Respite", "Overdue", "InterestStarted"]


async def test_removed_respite_does_not_charge_its_days(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("20d")
    ok(await client.command(billogram["id"], "respite", {"date": "2030-06-20"}))
    await client.advance("30d")
    ok(await client.command(billogram["id"], "remove-respite"))

    assert await _fee(client, billogram, 10) == Decimal("54.79")


async def test_days_between_payment_and_recall_bear_no_interest(client: Client) -> None:
    late, in_time = await _sent(client), await _sent(client)
    await client.pay(in_time["id"])
    await client.advance("20d")
    await client.pay(late["id"], amount="10000")
    await client.advance("50d")
    for each in (late, in_time):
        await client.control("POST", f"/billograms/{each['id']}/recall")
    await client.advance("10d")

    assert [await _fee(client, each, 0) for each in (late, in_time)] == [Decimal("54.79"), Decimal("27.40")]


@pytest.mark.parametrize("command", ["confirmed-loss", "credit"])
async def test_interest_ends_with_the_billogram(client: Client, command: str) -> None:
    billogram = await _sent(client)
    await client.advance("20d")
    ended = data(await client.command(billogram["id"], command, {"mode": "full"} if command == "credit" else None))

    assert ended["remaining_sum"] == 0
    assert await _fee(client, billogram, 100) == ended["interest_fee"] == Decimal("27.40")


async def test_interest_continues_at_the_collector(client: Client) -> None:
    billogram = await _sent(client)
    await client.advance("20d")
    ok(await client.command(billogram["id"], "collect"))

    assert await _fee(client, billogram, 10) == Decimal("54.79")


async def test_lists_show_the_interest_of_today(client: Client) -> None:
    late = [await _sent(client) for _ in range(3)]
    await client.advance("40d")
    await client.pay(late[0]["id"], amount="10000")
    await client.advance("10d")
    listed = ok(await client.api("GET", "/billogram", page=1, page_size=10))
    control = (await client.control("GET", "/billograms"))["billograms"]

    remaining = [Decimal("82.19"), Decimal("10109.59"), Decimal("10109.59")]
    assert [each["remaining_sum"] for each in listed["data"]] == remaining
    assert [each["remaining_sum"] for each in control] == remaining
    assert listed["meta"]["total_remaining_sum"] == "20301.37"


@pytest.mark.parametrize(
    ("setting", "state", "remaining"),
    [
        ({"settings": "all_fees"}, "Paid", 0),
        ({"amount": "142.19"}, "Paid", 0),
        ({"amount": "142.18"}, "PartlyPaid", Decimal("142.19")),
        ({}, "PartlyPaid", Decimal("142.19")),
    ],
)
async def test_late_fees_are_written_off_automatically_if_configured(
    client: Client, setting: Json, state: str, remaining: Decimal
) -> None:
    await client.control("PUT", "/account", {"automatic_writeoff": setting})
    billogram = await _sent(client)
    await client.advance("40d")
    await client.command(billogram["id"], "remind")
    before = await client.pay(billogram["id"], amount="9999")
    after = await client.pay(billogram["id"], amount="1")

    assert (before["state"], before["remaining_sum"]) == ("PartlyPaid", Decimal("143.19"))
    assert (after["state"], after["remaining_sum"]) == (state, remaining)
    if state == "Paid":
        assert types(after)[-3:] == ["Payment", "Writeoff", "BillogramEnded"]
        assert after["events"][-2]["data"]["amount"] == Decimal("142.19")


async def test_principal_is_never_written_off_automatically(client: Client) -> None:
    """Nor by the command: it would be a loss."""
    await client.control("PUT", "/account", {"automatic_writeoff": {"settings": "all_fees", "amount": "1000"}})
    billogram = await _sent(client)
    part = await client.pay(billogram["id"], amount="9999.99")

    assert (part["state"], part["remaining_sum"]) == ("PartlyPaid", Decimal("0.01"))


async def test_rate_above_a_hundred_percent_is_refused(client: Client) -> None:
    assert problem(await client.try_draft(interest_rate=101)) == (400, "INVALID_PARAMETER", "interest_rate", None)
