"""The cutoff of an unpaid bill: what Billogram knows counts, whatever happened to its callbacks."""

from datetime import timedelta

import pytest

from tests.diaries.diary import Diary, Json
from tests.diaries.overview import GRACE, OFF_AFTER, Overview, explanation, fact_types, month_after, overview

DAY = timedelta(days=1)


async def pay_without_callback(diary: Diary, name: str) -> None:
    bill = await diary.bill(name, 0)
    async with diary.faults({"callbacks": {"drop": 1.0}}):
        paid = await diary.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json={})
        assert paid.status_code == 200, paid.text


async def test_the_read_before_a_cutoff_finds_a_payment_without_callback(diary: Diary) -> None:
    """EDGE-1 and EDGE-16. The subscriber paid in time: access was never off."""
    sold = diary.today()
    await diary.sell("no-callback", policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER - DAY))
    await pay_without_callback(diary, "no-callback")
    before = await overview(diary, "no-callback")
    await diary.forward_into(str(sold + OFF_AFTER))
    bill = await diary.bill("no-callback", 0)
    history = (await diary.get(f"/v1/bills/{bill['bill_id']}"))["history"]

    assert before == Overview("active", "on", sold, month_after(sold), ["0:r0 open 395.00, Paid"])
    assert await overview(diary, "no-callback") == before._replace(bills=["0:r0 paid 0.00, Paid"])
    assert [entry["source"] for entry in history if entry["type"] == "payment"] == ["billogram read"]


async def test_nobody_is_cut_off_while_billogram_cannot_be_read(
    diary: Diary,
) -> None:
    """EDGE-31. After the outage the cutoff is dated as planned, and a payment without callback prevents it."""
    sold = diary.today()
    await diary.sell("unread", policy=GRACE)
    await diary.sell("unread-paid", policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER - DAY))
    await pay_without_callback(diary, "unread-paid")
    async with diary.faults({"api": {"down": True}}):
        await diary.forward_into(str(sold + OFF_AFTER))
        unverified, sentence = await overview(diary, "unread"), await explanation(diary, "unread")
        await diary.forward("12h")
        still = await overview(diary, "unread")
    await diary.forward("6h")
    await diary.record("unread", "read_failed_at_cutoff")

    assert unverified == Overview("active", "on", sold, month_after(sold), ["0:r0 open 395.00, Overdue"])
    assert "has not confirmed yet" in sentence
    assert still == unverified
    assert await overview(diary, "unread") == unverified._replace(access="off: past_grace", since=sold + OFF_AFTER)
    assert await overview(diary, "unread-paid") == unverified._replace(bills=["0:r0 paid 0.00, Paid"])


@pytest.mark.parametrize(
    "callbacks",
    [
        {"duplicate": 1.0},
        {"reorder": True, "duplicate": 0.5},
        {"delay_ms": [100, 400], "reorder": True},
    ],
    ids=["repeated", "reordered", "delayed"],
)
async def test_order_and_repetition_of_callbacks_do_not_matter(diary: Diary, callbacks: Json) -> None:
    """EDGE-13 and EDGE-15: a part payment, the rest, a reversal, and another part payment."""
    sold = diary.today()
    name = f"callbacks-{'-'.join(callbacks)}"
    await diary.sell(name, policy=GRACE)
    bill = await diary.bill(name, 0)
    at = f"/sandbox/billograms/{bill['billogram_id']}"
    async with diary.faults({"callbacks": callbacks, "seed": 7}):
        for path, body in (("pay", {"amount": "100.00"}), ("pay", {}), ("recall", {}), ("pay", {"amount": "95.00"})):
            assert (await diary.sandbox.post(f"{at}/{path}", json=body)).status_code == 200
        await diary.forward_into(str(sold + OFF_AFTER))
        owed = await overview(diary, name)
        assert (await diary.sandbox.post(f"{at}/pay", json={})).status_code == 200
        await diary.drain()

    assert owed == Overview(
        "active", "off: past_grace", sold + OFF_AFTER, month_after(sold), ["0:r0 open 200.00, Overdue"]
    )
    assert await overview(diary, name) == owed._replace(access="on", bills=["0:r0 paid 0.00, Paid"])
    assert {"payment", "payment_reversed", "ended"} <= {*await fact_types(diary, bill)}
