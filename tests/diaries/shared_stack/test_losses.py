"""Losses: what they do to access and renewals, and what a later payment does."""

from datetime import timedelta

from tests.diaries.diary import Diary
from tests.diaries.overview import (
    GRACE,
    OFF_AFTER,
    Overview,
    command,
    credit,
    explanation,
    fact_types,
    month_after,
    overview,
)

DAY = timedelta(days=1)


async def test_a_loss_turns_access_off_and_stops_renewals(diary: Diary) -> None:
    """EDGE-7. No period is billed while the loss lasts."""
    sold = diary.today()
    await diary.sell("lost")
    await command(diary, await diary.bill("lost", 0), "confirmed-loss")
    lost = await overview(diary, "lost")
    sentence = await explanation(diary, "lost")
    await diary.forward_into(str(month_after(sold)))
    await diary.record("lost", "lost")

    assert lost == Overview("suspended", "off: loss", sold, None, ["0:r0 expired 395.00, Ended"])
    assert "became a loss" in sentence
    assert await overview(diary, "lost") == lost


async def test_a_payment_after_a_loss_restores_access_and_renewals(
    diary: Diary,
) -> None:
    """EDGE-8. The period without access is never billed; billing resumes with the period of the payment."""
    sold = diary.today()
    await diary.sell("recovered")
    bill = await diary.bill("recovered", 0)
    await command(diary, bill, "confirmed-loss")
    paid_on = month_after(sold, 2) + 3 * DAY
    await diary.forward_into(str(paid_on))
    await diary.pay(bill, "100.00")
    part = await overview(diary, "recovered")
    await diary.pay(bill, "295.00")
    await diary.record("recovered", "lost_then_paid")

    assert part == Overview("suspended", "off: loss", sold, None, ["0:r0 expired 295.00, Ended"])
    assert await overview(diary, "recovered") == Overview(
        "active", "on", paid_on, month_after(sold, 3), ["0:r0 paid 0.00, Ended", "2:r0 open 395.00, Unpaid"]
    )


async def test_a_loss_leaves_later_bills_unchanged(diary: Diary) -> None:
    """EDGE-7. Access stays off until the lost bill is settled."""
    sold = diary.today()
    await diary.sell("later-open")
    await diary.forward_into(str(month_after(sold)))
    first, second = await diary.bills("later-open")
    await command(diary, first, "confirmed-loss")
    lost = await overview(diary, "later-open")
    await diary.pay(second)
    still = await overview(diary, "later-open")
    await credit(diary, first)

    assert lost == Overview(
        "suspended", "off: loss", month_after(sold), None, ["0:r0 expired 395.00, Ended", "1:r0 open 395.00, Unpaid"]
    )
    assert still == lost._replace(bills=["0:r0 expired 395.00, Ended", "1:r0 paid 0.00, Paid"])
    assert await overview(diary, "later-open") == Overview(
        "active", "on", month_after(sold), month_after(sold, 2),
        ["0:r0 credited 0.00, Credited", "1:r0 paid 0.00, Paid"],
    )  # fmt: skip


async def test_the_policy_can_keep_access_and_renewals_after_a_loss(diary: Diary) -> None:
    """EDGE-7, `on_loss: keep_access`."""
    sold = diary.today()
    await diary.sell("kept", policy=GRACE | {"on_loss": "keep_access"})
    await command(diary, await diary.bill("kept", 0), "confirmed-loss")
    lost = await overview(diary, "kept")
    sentence = await explanation(diary, "kept")
    await diary.forward_into(str(month_after(sold)))
    await diary.record("kept", "kept_access")

    assert lost == Overview("active", "on", sold, month_after(sold), ["0:r0 expired 395.00, Ended"])
    assert "on_loss" in sentence
    assert await overview(diary, "kept") == lost._replace(
        renews=month_after(sold, 2), bills=["0:r0 expired 395.00, Ended", "1:r0 open 395.00, Unpaid"]
    )


async def test_a_loss_after_grace_leaves_access_off(diary: Diary) -> None:
    """EDGE-7. The reason changes, and with it the contract's status."""
    sold = diary.today()
    await diary.sell("late-lost", policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER))
    late = await overview(diary, "late-lost")
    await diary.forward("2d")
    await command(diary, await diary.bill("late-lost", 0), "confirmed-loss")

    assert (late.contract, late.access) == ("active", "off: past_grace")
    assert (await overview(diary, "late-lost"))[:2] == ("suspended", "off: loss")


async def test_a_writedown_changes_neither_access_nor_status(diary: Diary) -> None:
    """EDGE-7. A writedown and its end are recorded in the history only."""
    sold = diary.today()
    await diary.sell("doubted", policy=GRACE)
    bill = await diary.bill("doubted", 0)
    await command(diary, bill, "writedown")
    doubted = await overview(diary, "doubted")
    await command(diary, bill, "revert-writedown")

    assert doubted == Overview("active", "on", sold, month_after(sold), ["0:r0 open 395.00, Unpaid"])
    assert await overview(diary, "doubted") == doubted
    assert {"doubtful", "doubtful_reverted"} <= {*await fact_types(diary, bill)}


async def test_a_payment_after_the_contracts_end_restores_nothing(diary: Diary) -> None:
    """EDGE-5, EDGE-8, EDGE-20. The payment is recorded on its bill."""
    sold = diary.today()
    await diary.sell("ended")
    bill = await diary.bill("ended", 0)
    await command(diary, bill, "confirmed-loss")
    await diary.command("/v1/contracts/ended/cancel", {"at": "now"})
    ended = await overview(diary, "ended")
    await diary.pay(bill, "395.00")

    assert ended == Overview("ended", "off: cancelled", sold, None, ["0:r0 expired 395.00, Ended"])
    assert await overview(diary, "ended") == ended._replace(bills=["0:r0 paid 0.00, Ended"])
    assert not await diary.is_running("ended")
