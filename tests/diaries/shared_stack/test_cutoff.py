"""The hour at which access would go off: what Billogram knows counts, whatever has become of its callbacks."""

from datetime import timedelta

import pytest

from tests.diaries.life import Json, Life
from tests.diaries.seen import GRACE, OFF_AFTER, Seen, history, month_after, seen, why

DAY = timedelta(days=1)


async def paid_unheard(life: Life, name: str) -> None:
    """Money comes, and no callback tells of it."""
    bill = await life.bill(name, 0)
    async with life.faults({"callbacks": {"drop": 1.0}}):
        await life.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json={})


async def test_the_reading_before_the_cutoff_finds_money_that_no_callback_told_of(life: Life) -> None:
    """EDGE-1 sub and EDGE-16: paid in time, heard of late, and access was never off."""
    sold = life.today()
    await life.sell("unheard", policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER - DAY))
    await paid_unheard(life, "unheard")
    before = await seen(life, "unheard")
    await life.forward_into(str(sold + OFF_AFTER))
    bill = await life.bill("unheard", 0)
    history_ = (await life.get(f"/v1/bills/{bill['bill_id']}"))["history"]

    assert before == Seen("active", "on", sold, month_after(sold), ["0:r0 open 395.00, Paid"])
    assert await seen(life, "unheard") == before._replace(bills=["0:r0 paid 0.00, Paid"])
    assert [entry["source"] for entry in history_ if entry["type"] == "payment"] == ["billogram read"]


async def test_while_billogram_cannot_be_read_nobody_is_cut_off_and_afterwards_the_cutoff_is_dated_as_it_was(
    life: Life,
) -> None:
    """EDGE-31 at the cutoff. One has paid without a word meanwhile, and stays on."""
    sold = life.today()
    await life.sell("unread", policy=GRACE)
    await life.sell("unread-paid", policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER - DAY))
    await paid_unheard(life, "unread-paid")
    async with life.faults({"api": {"down": True}}):
        await life.forward_into(str(sold + OFF_AFTER))
        unsure, sentence = await seen(life, "unread"), await why(life, "unread")
        await life.forward("12h")
        still = await seen(life, "unread")
    await life.forward("6h")
    await life.record("unread", "read_failed_at_cutoff")

    assert unsure == Seen("active", "on", sold, month_after(sold), ["0:r0 open 395.00, Overdue"])
    assert "could not be asked yet" in sentence
    assert still == unsure
    assert await seen(life, "unread") == unsure._replace(access="off: past_grace", since=sold + OFF_AFTER)
    assert await seen(life, "unread-paid") == unsure._replace(bills=["0:r0 paid 0.00, Paid"])


@pytest.mark.parametrize(
    "callbacks",
    [
        {"duplicate": 1.0},
        {"reorder": True, "duplicate": 0.5},
        {"delay_ms": [100, 400], "reorder": True},
    ],
    ids=["twice", "out of order", "late"],
)
async def test_however_its_callbacks_come_a_bill_ends_the_same(life: Life, callbacks: Json) -> None:
    """EDGE-13 and EDGE-15: in part, late, the rest, taken back, and paid again, all heard in disorder."""
    sold = life.today()
    name = f"heard-{'-'.join(callbacks)}"
    await life.sell(name, policy=GRACE)
    bill = await life.bill(name, 0)
    at = f"/sandbox/billograms/{bill['billogram_id']}"
    async with life.faults({"callbacks": callbacks, "seed": 7}):
        for path, body in (("pay", {"amount": "100.00"}), ("pay", {}), ("recall", {}), ("pay", {"amount": "95.00"})):
            assert (await life.sandbox.post(f"{at}/{path}", json=body)).status_code == 200
        await life.forward_into(str(sold + OFF_AFTER))
        owed = await seen(life, name)
        await life.sandbox.post(f"{at}/pay", json={})
        await life.quiet()

    assert owed == Seen("active", "off: past_grace", sold + OFF_AFTER, month_after(sold), ["0:r0 open 200.00, Overdue"])
    assert await seen(life, name) == owed._replace(access="on", bills=["0:r0 paid 0.00, Paid"])
    assert {"payment", "payment_reversed", "ended"} <= {*await history(life, bill)}
