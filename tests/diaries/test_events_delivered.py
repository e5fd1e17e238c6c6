"""A contract's events reach the publisher's endpoint once and in order, and the feed shows the same."""

from standardwebhooks import Webhook

from tests.diaries.diary import Diary, Json
from tests.publisher import publisher


async def test_events_are_delivered_in_order_and_equal_the_feed(diary: Diary) -> None:
    async with publisher() as backend:
        response = await diary.api.put("/v1/endpoint", json={"url": backend.url})
        secret = response.json()["secret"]
        await diary.sell("delivered")
        bill = await diary.bill("delivered", 0)
        await diary.pay(bill)
        period_end = (await diary.contract("delivered"))["current_period"]["end"]
        await diary.command("/v1/contracts/delivered/cancel", {"at": "period_end"})
        await diary.forward_into(period_end)

        async def is_delivered() -> bool:
            """Avtal records a delivery a moment after the publisher has accepted it."""
            return bool((await diary.get("/v1/endpoint"))["delivered_seq"] == 7)

        await diary.wait_until(is_delivered)
        shown = await diary.get("/v1/endpoint")
        await diary.api.put("/v1/endpoint", json={"url": None})
    feed = (await diary.get("/v1/events"))["items"]
    delivered = [Webhook(secret).verify(one.body, one.headers) for one in backend.accepted]

    assert [one["type"] for one in delivered] == [
        "contract.sold", "access.turned_on", "bill.sent", "bill.paid", "contract.cancelling", "contract.ended",
        "access.turned_off",
    ]  # fmt: skip
    assert [as_delivered(event) for event in feed] == delivered
    assert (delivered[3]["data"]["bill_id"], delivered[3]["data"]["remaining"]) == (bill["bill_id"], "0.00")
    assert (delivered[-1]["data"]["reason"], delivered[-1]["data"]["ends_on"]) == ("cancelled", period_end)
    assert [one.headers["webhook-id"] for one in backend.accepted] == [event["event_id"] for event in feed]
    assert (shown["delivered_seq"], shown["waiting"], shown["dead"]) == (7, 0, [])


def as_delivered(event: Json) -> Json:
    return {"type": event["type"], "timestamp": event["at"], "data": {**event["data"], "seq": event["seq"]}}
