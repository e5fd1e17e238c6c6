"""The movable clock, and what is due."""

from datetime import UTC, datetime, timedelta

import pytest

from billogram_sandbox.core.clock import parse_instant
from billogram_sandbox_tests.client import Client, Receiver, eventually, types


async def test_unpaid_billogram_is_overdue_the_day_after_its_due_date(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-21T12:00:00Z"})
    billogram = await client.sent(due_days=9)
    clock = await client.control("GET", "/clock")
    await client.control("POST", "/clock", {"set": "2030-03-30T22:59:59Z"})
    before = await client.get(billogram["id"])
    after_move = await client.control("POST", "/clock", {"set": "2030-04-05T00:00:00Z"})
    after = await client.get(billogram["id"])

    assert clock["next_due"] == "2030-03-30T23:00:00.000000Z"
    assert (before["due_date"], before["state"]) == ("2030-03-30", "Unpaid")
    assert after["state"] == "Overdue"
    assert types(after)[2:] == ["Overdue", "InterestStarted"]
    assert [event["created_at"] for event in after["events"][2:]] == ["2030-03-30 23:00:00"] * 2
    assert after_move["next_due"] is None


async def test_billogram_settled_in_time_is_never_overdue(client: Client) -> None:
    paid, partly = await client.sent(due_days=1), await client.sent(due_days=1)
    await client.pay(paid["id"])
    await client.pay(partly["id"], amount="49")
    await client.advance("3d")
    late = await client.pay(partly["id"], amount="1")

    assert (await client.get(paid["id"]))["state"] == "Paid"
    assert types(late)[2:] == ["Payment", "Overdue", "InterestStarted", "Payment"]
    assert (late["state"], late["flags"]) == ("PartlyPaid", ["partly paid"])


@pytest.mark.parametrize(
    "move",
    [{"set": "2020-01-01T00:00:00Z"}, {"set": "2999-01-01T00:00:00"}, {"advance": "1w"}, {"advance": "99999y"}, {}],
)
async def test_clock_moves_forward_only(client: Client, move: dict[str, str]) -> None:
    response = await client.http.post("/sandbox/clock", json=move)

    assert response.status_code == 400
    assert response.json()["error"]


async def test_clock_stays_within_the_calendar(client: Client) -> None:
    invoice = await client.sent(due_days=9999, automatic_reminders_settings=[{"delay_days": 9999}] * 3)
    beyond = await client.http.post("/sandbox/clock", json={"advance": "6974y"})
    last = await client.http.post("/sandbox/clock", json={"set": "8999-12-31T12:00:00Z"})
    late = await client.sent(due_days=9999)

    assert beyond.status_code == 400
    assert last.status_code == 200
    assert (await client.get(invoice["id"]))["state"] == "Reminder_3"
    assert late["due_date"] == "9027-05-18"


async def test_events_are_in_chronological_order(live: Client, receiver: Receiver) -> None:
    later, sooner = [await live.sent(due_days=days, interest_rate=0) for days in (20, 10)]
    await receiver.holds(4)
    await live.advance("30d")
    overdue = (await receiver.holds(6))[4:]
    # Callbacks of different billograms are sent in parallel; their events have times.
    overdue.sort(key=lambda each: str(each.body["event"]["created_at"]))

    assert [each.body["billogram"]["id"] for each in overdue] == [sooner["id"], later["id"]]
    assert [each.body["billogram"]["state"] for each in overdue] == ["Overdue", "Overdue"]


async def test_time_passes_without_a_move(live: Client) -> None:
    await live.control("POST", "/clock", {"set": "2030-06-01T21:59:59.300Z"})
    billogram = await live.sent(invoice_date="2030-05-31", due_date="2030-06-01")

    async def overdue() -> bool:
        return bool((await live.get(billogram["id"]))["state"] == "Overdue")

    assert billogram["state"] == "Unpaid"
    await eventually(overdue)


async def test_reset_empties_everything_but_the_account(live: Client, receiver: Receiver) -> None:
    billogram = await live.sent()
    await live.advance("1y")
    await receiver.holds(3)
    clock = await live.control("POST", "/reset")
    await live.sent()
    await receiver.holds(5)

    assert parse_instant(clock["now"]) - datetime.now(UTC) < timedelta(minutes=1)
    assert (await live.api("GET", f"/billogram/{billogram['id']}")).status_code == 404
    assert (await live.control("GET", "/stats"))["total"] == 3
