"""Billogram does not answer for days: what is known goes on, and what could not be made is made once, later."""

import time

from tests.diaries.life import Life


async def test_while_the_platform_is_down_an_older_bill_is_paid_at_once_and_the_new_one_made_once_later(
    life: Life,
) -> None:
    """EDGE-31."""
    await life.sell("patient")
    renewal = str((await life.contract("patient"))["next_renewal"])
    old = await life.bill("patient", 0)
    async with life.faults({"api": {"down": True}}):
        await life.forward_into(renewal)
        waiting = await life.bill("patient", 1)
        began = time.monotonic()
        await life.sandbox.post(f"/sandbox/billograms/{old['billogram_id']}/pay", json={})
        await life.until(lambda: life.has_status("patient", 0, "paid"))
        applied_after = time.monotonic() - began
        await life.forward("3d")
        still = await life.bill("patient", 1)
    await life.forward("7h")
    made = await life.bill("patient", 1)
    await life.record("patient", "platform_down")

    assert (waiting["status"], still["status"], made["status"]) == ("creating", "creating", "open")
    assert applied_after <= 1.0
    assert len(await life.invoices(made)) == 1
