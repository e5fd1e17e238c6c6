"""The publisher is told of a contract's life, each thing once and in order, and the feed says the same."""

from standardwebhooks import Webhook

from tests.diaries.life import Json, Life
from tests.publisher import publisher


async def test_a_sale_a_payment_and_a_cancellation_are_told_in_order_and_the_feed_says_the_same(life: Life) -> None:
    async with publisher() as backend:
        answer = await life.api.put("/v1/endpoint", json={"url": backend.url})
        secret = answer.json()["secret"]
        await life.sell("told")
        bill = await life.bill("told", 0)
        await life.pay(bill)
        period_end = (await life.contract("told"))["current_period"]["end"]
        await life.command("/v1/contracts/told/cancel", {"at": "period_end"})
        await life.forward_into(period_end)

        async def all_is_delivered() -> bool:
            """As Avtal has noted it, which is a moment after the publisher has accepted the last one."""
            return bool((await life.get("/v1/endpoint"))["delivered_seq"] == 7)

        await life.until(all_is_delivered)
        shown = await life.get("/v1/endpoint")
        await life.api.put("/v1/endpoint", json={"url": None})
    feed = (await life.get("/v1/events"))["items"]
    told = [Webhook(secret).verify(one.body, one.headers) for one in backend.accepted]

    assert [one["type"] for one in told] == [
        "contract.sold", "access.turned_on", "bill.sent", "bill.paid", "contract.cancelling", "contract.ended",
        "access.turned_off",
    ]  # fmt: skip
    assert [as_told(event) for event in feed] == told
    assert (told[3]["data"]["bill_id"], told[3]["data"]["remaining"]) == (bill["bill_id"], "0.00")
    assert (told[-1]["data"]["reason"], told[-1]["data"]["ends_on"]) == ("cancelled", period_end)
    assert [one.headers["webhook-id"] for one in backend.accepted] == [event["event_id"] for event in feed]
    assert (shown["delivered_seq"], shown["waiting"], shown["dead"]) == (7, 0, [])


def as_told(event: Json) -> Json:
    return {"type": event["type"], "timestamp": event["at"], "data": {**event["data"], "seq": event["seq"]}}
