"""An outage at Billogram for days: known bills continue, and the missing one is created once, afterwards."""

import time

from tests.diaries.diary import Diary


async def test_an_outage_at_billogram_delays_creation_but_not_payments(
    diary: Diary,
) -> None:
    """EDGE-31."""
    await diary.sell("patient")
    renewal = str((await diary.contract("patient"))["next_renewal"])
    old = await diary.bill("patient", 0)
    async with diary.faults({"api": {"down": True}}):
        await diary.forward_into(renewal)
        waiting = await diary.bill("patient", 1)
        started_at = time.monotonic()
        await diary.sandbox.post(f"/sandbox/billograms/{old['billogram_id']}/pay", json={})
        await diary.wait_until(lambda: diary.has_status("patient", 0, "paid"))
        applied_after = time.monotonic() - started_at
        await diary.forward("3d")
        still = await diary.bill("patient", 1)
    await diary.forward("7h")
    made = await diary.bill("patient", 1)
    await diary.record("patient", "platform_down")

    assert (waiting["status"], still["status"], made["status"]) == ("creating", "creating", "open")
    assert applied_after <= 1.0
    assert len(await diary.invoices(made)) == 1
