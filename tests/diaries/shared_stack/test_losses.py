"""Bills that are given up: what a loss does to access and renewals, and what money does that comes afterwards."""

from datetime import timedelta

from tests.diaries.life import Life
from tests.diaries.seen import GRACE, OFF_AFTER, Seen, command, credit, history, month_after, seen, why

DAY = timedelta(days=1)


async def test_a_loss_turns_access_off_at_once_and_stops_renewals(life: Life) -> None:
    """EDGE-7. No period is billed while it lasts."""
    sold = life.today()
    await life.sell("lost")
    await command(life, await life.bill("lost", 0), "confirmed-loss")
    lost = await seen(life, "lost")
    sentence = await why(life, "lost")
    await life.forward_into(str(month_after(sold)))
    await life.record("lost", "lost")

    assert lost == Seen("suspended", "off: loss", sold, None, ["0:r0 expired 395.00, Ended"])
    assert "given up as a loss" in sentence
    assert await seen(life, "lost") == lost


async def test_a_payment_after_a_loss_turns_access_on_and_renewals_resume_with_the_period_of_that_day(
    life: Life,
) -> None:
    """EDGE-8, and EDGE-4 `keep_schedule`: the period that passed in the dark is never billed."""
    sold = life.today()
    await life.sell("recovered")
    bill = await life.bill("recovered", 0)
    await command(life, bill, "confirmed-loss")
    paid_on = month_after(sold, 2) + 3 * DAY
    await life.forward_into(str(paid_on))
    await life.pay(bill, "100.00")
    part = await seen(life, "recovered")
    await life.pay(bill, "295.00")
    await life.record("recovered", "lost_then_paid")

    assert part == Seen("suspended", "off: loss", sold, None, ["0:r0 expired 295.00, Ended"])
    assert await seen(life, "recovered") == Seen(
        "active", "on", paid_on, month_after(sold, 3), ["0:r0 paid 0.00, Ended", "2:r0 open 395.00, Unpaid"]
    )


async def test_a_loss_leaves_later_bills_as_they_are_and_access_waits_for_the_lost_one(life: Life) -> None:
    """EDGE-7: later open bills are not touched."""
    sold = life.today()
    await life.sell("later-open")
    await life.forward_into(str(month_after(sold)))
    first, second = await life.bills("later-open")
    await command(life, first, "confirmed-loss")
    lost = await seen(life, "later-open")
    await life.pay(second)
    still = await seen(life, "later-open")
    await credit(life, first)

    assert lost == Seen(
        "suspended", "off: loss", month_after(sold), None, ["0:r0 expired 395.00, Ended", "1:r0 open 395.00, Unpaid"]
    )
    assert still == lost._replace(bills=["0:r0 expired 395.00, Ended", "1:r0 paid 0.00, Paid"])
    assert await seen(life, "later-open") == Seen(
        "active", "on", month_after(sold), month_after(sold, 2),
        ["0:r0 credited 0.00, Credited", "1:r0 paid 0.00, Paid"],
    )  # fmt: skip


async def test_a_policy_that_keeps_access_lets_a_lost_contract_read_and_renew(life: Life) -> None:
    """EDGE-7, the policy's other answer."""
    sold = life.today()
    await life.sell("kept", policy=GRACE | {"on_loss": "keep_access"})
    await command(life, await life.bill("kept", 0), "confirmed-loss")
    lost = await seen(life, "kept")
    sentence = await why(life, "kept")
    await life.forward_into(str(month_after(sold)))
    await life.record("kept", "kept_access")

    assert lost == Seen("active", "on", sold, month_after(sold), ["0:r0 expired 395.00, Ended"])
    assert "on_loss" in sentence
    assert await seen(life, "kept") == lost._replace(
        renews=month_after(sold, 2), bills=["0:r0 expired 395.00, Ended", "1:r0 open 395.00, Unpaid"]
    )


async def test_a_bill_past_its_grace_that_is_lost_keeps_access_off_from_when_it_went_off(life: Life) -> None:
    """EDGE-7: the reason changes, and with it the contract's status."""
    sold = life.today()
    await life.sell("late-lost", policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER))
    late = await seen(life, "late-lost")
    await life.forward("2d")
    await command(life, await life.bill("late-lost", 0), "confirmed-loss")

    assert (late.contract, late.access) == ("active", "off: past_grace")
    assert (await seen(life, "late-lost"))[:2] == ("suspended", "off: loss")


async def test_what_bookkeeping_fears_changes_nothing(life: Life) -> None:
    """EDGE-7 sub: a writedown and its end are history alone."""
    sold = life.today()
    await life.sell("feared", policy=GRACE)
    bill = await life.bill("feared", 0)
    await command(life, bill, "writedown")
    feared = await seen(life, "feared")
    await command(life, bill, "revert-writedown")

    assert feared == Seen("active", "on", sold, month_after(sold), ["0:r0 open 395.00, Unpaid"])
    assert await seen(life, "feared") == feared
    assert {"doubtful", "doubtful_reverted"} <= {*await history(life, bill)}


async def test_a_payment_after_the_contract_has_ended_restores_nothing(life: Life) -> None:
    """EDGE-5, EDGE-8, and EDGE-20: ended stays ended; the money is on its bill."""
    sold = life.today()
    await life.sell("gone")
    bill = await life.bill("gone", 0)
    await command(life, bill, "confirmed-loss")
    await life.command("/v1/contracts/gone/cancel", {"at": "now"})
    ended = await seen(life, "gone")
    await life.pay(bill, "395.00")

    assert ended == Seen("ended", "off: cancelled", sold, None, ["0:r0 expired 395.00, Ended"])
    assert await seen(life, "gone") == ended._replace(bills=["0:r0 paid 0.00, Ended"])
    assert not await life.is_running("gone")
