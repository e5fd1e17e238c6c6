"""Dated diaries: renewals in every policy, and cancellations with bills of later periods."""

from datetime import timedelta

from tests.diaries.diary import Diary, Json
from tests.diaries.overview import GRACE, OFF_AFTER, Overview, credit, explanation, month_after, overview

DAY = timedelta(days=1)
AHEAD: Json = {"renewal_lead_days": 10, "payment_days": 60}


async def test_a_renewal_is_held_while_access_is_off(diary: Diary) -> None:
    """EDGE-11 `hold`, and EDGE-4. The period of the payment is billed; one wholly without access never is."""
    sold = diary.today()
    await diary.sell("hold", policy=GRACE)
    await diary.forward_into(str(month_after(sold)))
    held = await overview(diary, "hold")
    paid_on = month_after(sold, 2) + 5 * DAY
    await diary.forward_into(str(paid_on))
    await diary.pay(await diary.bill("hold", 0))
    await diary.record("hold", "held")

    assert held == Overview("suspended", "off: past_grace", sold + OFF_AFTER, None, ["0:r0 open 395.00, Overdue"])
    assert await overview(diary, "hold") == Overview(
        "active", "on", paid_on, month_after(sold, 3), ["0:r0 paid 0.00, Paid", "2:r0 open 395.00, Unpaid"]
    )


async def test_the_policy_can_bill_while_access_is_off(diary: Diary) -> None:
    """EDGE-11 `bill`, with `max_open_bills`. A payment releases the held renewal."""
    sold = diary.today()
    await diary.sell("bill-on", policy=GRACE | {"renewal_while_off": "bill", "max_open_bills": 2})
    await diary.forward_into(str(month_after(sold, 2)))
    two = await overview(diary, "bill-on")
    for bill in (await diary.bills("bill-on"))[:2]:
        await diary.pay(bill)

    bills = ["0:r0 open 395.00, Overdue", "1:r0 open 395.00, Overdue"]
    assert two == Overview("suspended", "off: past_grace", sold + OFF_AFTER, None, bills)
    assert await overview(diary, "bill-on") == Overview(
        "active", "on", month_after(sold, 2), month_after(sold, 3),
        ["0:r0 paid 0.00, Paid", "1:r0 paid 0.00, Paid", "2:r0 open 395.00, Unpaid"],
    )  # fmt: skip


async def test_the_policy_can_end_an_unpaid_contract_at_renewal(diary: Diary) -> None:
    """EDGE-11 `end`. The last bill can still be paid and restores nothing."""
    sold = diary.today()
    await diary.sell("end", policy=GRACE | {"renewal_while_off": "end"})
    await diary.forward_into(str(month_after(sold)))
    ended = await overview(diary, "end")
    sentence = await explanation(diary, "end")
    await diary.pay(await diary.bill("end", 0))
    await diary.record("end", "ended_unpaid")

    assert ended == Overview("ended", "off: ended", month_after(sold), None, ["0:r0 open 395.00, Overdue"])
    assert "renewal_while_off" in sentence
    assert await overview(diary, "end") == ended._replace(bills=["0:r0 paid 0.00, Paid"])
    assert not await diary.is_running("end")


async def test_renewals_wait_while_too_many_bills_are_open(diary: Diary) -> None:
    """EDGE-11. No period is skipped, for each had access."""
    sold = diary.today()
    await diary.sell("most", policy={"max_open_bills": 1})
    await diary.forward_into(str(month_after(sold, 2)))
    waiting = await overview(diary, "most")
    await diary.pay(await diary.bill("most", 0))
    one_more = await overview(diary, "most")
    await credit(diary, await diary.bill("most", 1))

    bills = ["0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid"]
    assert waiting == Overview("suspended", "on", sold, None, ["0:r0 open 395.00, Overdue"])
    assert one_more == waiting._replace(bills=bills)
    assert await overview(diary, "most") == Overview(
        "active", "on", sold, month_after(sold, 3),
        [bills[0], "1:r0 credited 0.00, Credited", "2:r0 open 395.00, Unpaid"],
    )  # fmt: skip


async def test_a_renewal_is_billed_the_lead_days_ahead(diary: Diary) -> None:
    """The workflow learns the lead days from the first bill, created at the sale."""
    sold = diary.today()
    await diary.sell("ahead-of-time", policy=AHEAD)
    await diary.pay(await diary.bill("ahead-of-time", 0))
    await diary.forward_into(str(month_after(sold) - 11 * DAY))
    before = await overview(diary, "ahead-of-time")
    await diary.forward_into(str(month_after(sold) - 10 * DAY))
    bill = await diary.bill("ahead-of-time", 1)

    assert before == Overview("active", "on", sold, month_after(sold), ["0:r0 paid 0.00, Paid"])
    assert await overview(diary, "ahead-of-time") == before._replace(
        bills=["0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid"]
    )
    assert (bill["period"]["start"], bill["due_date"]) == (
        str(month_after(sold)),
        str(month_after(sold) + 50 * DAY),
    )


async def test_a_work_window_spreads_renewals_without_moving_dates(diary: Diary) -> None:
    """PER-10. Each contract has its own minute."""
    sold = diary.today()
    names = [f"window-{number}" for number in range(4)]
    for name in names:
        await diary.sell(name, policy={"work_window_minutes": 1200, "payment_days": 10})
    renewal = month_after(sold)
    await diary.forward_into(str(renewal))
    early = [len(await diary.bills(name)) for name in names]
    await diary.forward("20h")
    bills = [await diary.bill(name, 1) for name in names]
    created_at = {(await diary.get(f"/v1/bills/{bill['bill_id']}"))["history"][0]["at"] for bill in bills}

    assert 1 in early
    assert [bill["period"]["start"] for bill in bills] == [str(renewal)] * 4
    assert [bill["due_date"] for bill in bills] == [str(renewal + 10 * DAY)] * 4
    assert len(created_at) == 4


async def test_a_cancellation_withdraws_bills_of_later_periods(diary: Diary) -> None:
    """EDGE-20 and EDGE-22. A draft is deleted, an invoice credited; a revocation makes the period's next revision."""
    sold = diary.today()
    await diary.sell("back-sent", policy=AHEAD)
    await diary.sell("back-draft", policy=AHEAD | {"mode": "draft"})
    await diary.forward_into(str(month_after(sold) - 10 * DAY))
    for name in ("back-sent", "back-draft"):
        await diary.command(f"/v1/contracts/{name}/cancel", {"at": "period_end"})
    await diary.drain()
    sent, draft = await overview(diary, "back-sent"), await overview(diary, "back-draft")
    for name in ("back-sent", "back-draft"):
        await diary.command(f"/v1/contracts/{name}/revoke-cancellation")
    await diary.drain()
    await diary.record("back-sent", "withdrawn_revoked")

    assert sent == Overview("cancelling", "on", sold, None, ["0:r0 open 395.00, Unpaid", "1:r0 void 0.00, Credited"])
    assert draft == Overview(
        "cancelling", "on", sold, None, ["0:r0 draft 395.00, Unattested", "1:r0 void 395.00, none"]
    )
    assert await overview(diary, "back-sent") == Overview(
        "active", "on", sold, month_after(sold), [*sent.bills, "1:r1 open 395.00, Unpaid"]
    )
    assert await overview(diary, "back-draft") == Overview(
        "active", "on", sold, month_after(sold), [*draft.bills, "1:r1 draft 395.00, Unattested"]
    )


async def test_a_partly_paid_invoice_is_not_withdrawn(diary: Diary) -> None:
    """EDGE-20. Nothing is refunded automatically."""
    sold = diary.today()
    await diary.sell("back-paid", policy=AHEAD)
    await diary.forward_into(str(month_after(sold) - 10 * DAY))
    await diary.pay(await diary.bill("back-paid", 1), "100.00")
    await diary.command("/v1/contracts/back-paid/cancel", {"at": "period_end"})
    await diary.forward_into(str(month_after(sold)))

    assert await overview(diary, "back-paid") == Overview(
        "ended", "off: cancelled", month_after(sold), None,
        ["0:r0 open 395.00, Unpaid", "1:r0 open 295.00, PartlyPaid"],
    )  # fmt: skip


async def test_a_cancelled_contracts_open_bill_can_still_turn_access_off(diary: Diary) -> None:
    """EDGE-20. The bill of a used period stays owed, and its payment restarts nothing."""
    sold = diary.today()
    await diary.sell("leaving", policy=GRACE)
    await diary.command("/v1/contracts/leaving/cancel", {"at": "period_end"})
    await diary.forward_into(str(sold + OFF_AFTER))
    cut_off = await overview(diary, "leaving")
    await diary.forward_into(str(month_after(sold)))
    ended = await overview(diary, "leaving")
    await diary.pay(await diary.bill("leaving", 0))

    assert cut_off == Overview("cancelling", "off: past_grace", sold + OFF_AFTER, None, ["0:r0 open 395.00, Overdue"])
    assert ended == Overview("ended", "off: cancelled", month_after(sold), None, cut_off.bills)
    assert await overview(diary, "leaving") == ended._replace(bills=["0:r0 paid 0.00, Paid"])


async def test_an_unsent_draft_never_affects_access(diary: Diary) -> None:
    """EDGE-17. Without dispatch there is no due date and no grace."""
    sold = diary.today()
    await diary.sell("unsent", policy=GRACE | {"mode": "draft"})
    await diary.forward_into(str(month_after(sold)))

    assert await overview(diary, "unsent") == Overview(
        "active", "on", sold, month_after(sold, 2),
        ["0:r0 draft 395.00, Unattested", "1:r0 draft 395.00, Unattested"],
    )  # fmt: skip


async def test_a_change_to_automatic_mode_leaves_drafts_as_drafts(diary: Diary) -> None:
    """EDGE-34. A change applies to bills created afterwards."""
    sold = diary.today()
    await diary.set_policy(mode="draft")
    await diary.sell("switched")
    await diary.set_policy(mode="automatic")
    await diary.forward_into(str(month_after(sold)))

    assert await overview(diary, "switched") == Overview(
        "active", "on", sold, month_after(sold, 2), ["0:r0 draft 395.00, Unattested", "1:r0 open 395.00, Unpaid"]
    )
