"""Renewals in every policy, and cancellations with bills of periods to come: dated diaries."""

from datetime import timedelta

from tests.diaries.life import Json, Life
from tests.diaries.seen import GRACE, OFF_AFTER, Seen, credit, month_after, seen, why

DAY = timedelta(days=1)
AHEAD: Json = {"renewal_lead_days": 10, "payment_days": 60}


async def test_while_access_is_off_a_renewal_is_held_and_made_when_the_bill_is_paid(life: Life) -> None:
    """EDGE-11 `hold`, and EDGE-4: paid in the middle of a period, that period is billed; one in the dark never is."""
    sold = life.today()
    await life.sell("hold", policy=GRACE)
    await life.forward_into(str(month_after(sold)))
    skipped_periods = await seen(life, "hold")
    paid_on = month_after(sold, 2) + 5 * DAY
    await life.forward_into(str(paid_on))
    await life.pay(await life.bill("hold", 0))
    await life.record("hold", "held")

    assert skipped_periods == Seen(
        "suspended", "off: past_grace", sold + OFF_AFTER, None, ["0:r0 open 395.00, Overdue"]
    )
    assert await seen(life, "hold") == Seen(
        "active", "on", paid_on, month_after(sold, 3), ["0:r0 paid 0.00, Paid", "2:r0 open 395.00, Unpaid"]
    )


async def test_a_policy_that_bills_on_does_so_while_access_is_off_until_two_are_open(life: Life) -> None:
    """EDGE-11 `bill`, with `max_open_bills`; a payment makes what was held, dark or not."""
    sold = life.today()
    await life.sell("bill-on", policy=GRACE | {"renewal_while_off": "bill", "max_open_bills": 2})
    await life.forward_into(str(month_after(sold, 2)))
    two = await seen(life, "bill-on")
    for bill in (await life.bills("bill-on"))[:2]:
        await life.pay(bill)

    bills = ["0:r0 open 395.00, Overdue", "1:r0 open 395.00, Overdue"]
    assert two == Seen("suspended", "off: past_grace", sold + OFF_AFTER, None, bills)
    assert await seen(life, "bill-on") == Seen(
        "active", "on", month_after(sold, 2), month_after(sold, 3),
        ["0:r0 paid 0.00, Paid", "1:r0 paid 0.00, Paid", "2:r0 open 395.00, Unpaid"],
    )  # fmt: skip


async def test_a_policy_that_ends_does_so_at_the_boundary_if_access_is_off_there(life: Life) -> None:
    """EDGE-11 `end`. The last bill can still be paid, and restores nothing."""
    sold = life.today()
    await life.sell("end", policy=GRACE | {"renewal_while_off": "end"})
    await life.forward_into(str(month_after(sold)))
    ended = await seen(life, "end")
    sentence = await why(life, "end")
    await life.pay(await life.bill("end", 0))
    await life.record("end", "end_if_unpaid")

    assert ended == Seen("ended", "off: ended", month_after(sold), None, ["0:r0 open 395.00, Overdue"])
    assert "renewal_while_off" in sentence
    assert await seen(life, "end") == ended._replace(bills=["0:r0 paid 0.00, Paid"])
    assert not await life.is_running("end")


async def test_with_access_on_renewals_wait_while_too_many_bills_are_open_and_all_are_made_later(life: Life) -> None:
    """EDGE-11, last line: no period is skipped, for the reader could read in each."""
    sold = life.today()
    await life.sell("most", policy={"max_open_bills": 1})
    await life.forward_into(str(month_after(sold, 2)))
    waiting = await seen(life, "most")
    await life.pay(await life.bill("most", 0))
    one_more = await seen(life, "most")
    await credit(life, await life.bill("most", 1))

    bills = ["0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid"]
    assert waiting == Seen("suspended", "on", sold, None, ["0:r0 open 395.00, Overdue"])
    assert one_more == waiting._replace(bills=bills)
    assert await seen(life, "most") == Seen(
        "active", "on", sold, month_after(sold, 3),
        [bills[0], "1:r0 credited 0.00, Credited", "2:r0 open 395.00, Unpaid"],
    )  # fmt: skip


async def test_a_renewal_is_billed_so_many_days_ahead_for_the_period_that_is_to_come(life: Life) -> None:
    """The first bill, made at the sale, has brought the policy's lead days."""
    sold = life.today()
    await life.sell("ahead-of-time", policy=AHEAD)
    await life.pay(await life.bill("ahead-of-time", 0))
    await life.forward_into(str(month_after(sold) - 11 * DAY))
    before = await seen(life, "ahead-of-time")
    await life.forward_into(str(month_after(sold) - 10 * DAY))
    bill = await life.bill("ahead-of-time", 1)

    assert before == Seen("active", "on", sold, month_after(sold), ["0:r0 paid 0.00, Paid"])
    assert await seen(life, "ahead-of-time") == before._replace(
        bills=["0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid"]
    )
    assert (bill["period"]["start"], bill["due_date"]) == (
        str(month_after(sold)),
        str(month_after(sold) + 50 * DAY),
    )


async def test_a_work_window_spreads_renewals_over_the_hours_after_midnight_and_moves_no_date(life: Life) -> None:
    """PER-10: each contract has its own minute."""
    sold = life.today()
    names = [f"window-{number}" for number in range(4)]
    for name in names:
        await life.sell(name, policy={"work_window_minutes": 1200, "payment_days": 10})
    renewal = month_after(sold)
    await life.forward_into(str(renewal))
    early = [len(await life.bills(name)) for name in names]
    await life.forward("20h")
    bills = [await life.bill(name, 1) for name in names]
    made_at = {(await life.get(f"/v1/bills/{bill['bill_id']}"))["history"][0]["at"] for bill in bills}

    assert 1 in early
    assert [bill["period"]["start"] for bill in bills] == [str(renewal)] * 4
    assert [bill["due_date"] for bill in bills] == [str(renewal + 10 * DAY)] * 4
    assert len(made_at) == 4


async def test_a_cancellation_takes_back_the_bill_of_a_period_that_is_not_to_come(life: Life) -> None:
    """EDGE-20 and EDGE-22: a draft is deleted, an invoice credited, and revoked, the period gets its next revision."""
    sold = life.today()
    await life.sell("back-sent", policy=AHEAD)
    await life.sell("back-draft", policy=AHEAD | {"mode": "draft"})
    await life.forward_into(str(month_after(sold) - 10 * DAY))
    for name in ("back-sent", "back-draft"):
        await life.command(f"/v1/contracts/{name}/cancel", {"at": "period_end"})
    await life.quiet()
    sent, draft = await seen(life, "back-sent"), await seen(life, "back-draft")
    for name in ("back-sent", "back-draft"):
        await life.command(f"/v1/contracts/{name}/revoke-cancellation")
    await life.quiet()
    await life.record("back-sent", "withdrawn_revoked")

    assert sent == Seen("cancelling", "on", sold, None, ["0:r0 open 395.00, Unpaid", "1:r0 void 0.00, Credited"])
    assert draft == Seen("cancelling", "on", sold, None, ["0:r0 draft 395.00, Unattested", "1:r0 void 395.00, none"])
    assert await seen(life, "back-sent") == Seen(
        "active", "on", sold, month_after(sold), [*sent.bills, "1:r1 open 395.00, Unpaid"]
    )
    assert await seen(life, "back-draft") == Seen(
        "active", "on", sold, month_after(sold), [*draft.bills, "1:r1 draft 395.00, Unattested"]
    )


async def test_an_invoice_of_a_period_that_is_not_to_come_is_left_to_people_once_money_is_on_it(life: Life) -> None:
    """EDGE-20, last row: nothing can be refunded by itself."""
    sold = life.today()
    await life.sell("back-paid", policy=AHEAD)
    await life.forward_into(str(month_after(sold) - 10 * DAY))
    await life.pay(await life.bill("back-paid", 1), "100.00")
    await life.command("/v1/contracts/back-paid/cancel", {"at": "period_end"})
    await life.forward_into(str(month_after(sold)))

    assert await seen(life, "back-paid") == Seen(
        "ended", "off: cancelled", month_after(sold), None,
        ["0:r0 open 395.00, Unpaid", "1:r0 open 295.00, PartlyPaid"],
    )  # fmt: skip


async def test_a_cancelled_contract_with_an_open_bill_keeps_access_to_its_end_or_the_bills_cutoff(life: Life) -> None:
    """EDGE-20, first row: the bill of a period that was used stays owed, and its payment restarts nothing."""
    sold = life.today()
    await life.sell("leaving", policy=GRACE)
    await life.command("/v1/contracts/leaving/cancel", {"at": "period_end"})
    await life.forward_into(str(sold + OFF_AFTER))
    dark = await seen(life, "leaving")
    await life.forward_into(str(month_after(sold)))
    over = await seen(life, "leaving")
    await life.pay(await life.bill("leaving", 0))

    assert dark == Seen("cancelling", "off: past_grace", sold + OFF_AFTER, None, ["0:r0 open 395.00, Overdue"])
    assert over == Seen("ended", "off: cancelled", month_after(sold), None, dark.bills)
    assert await seen(life, "leaving") == over._replace(bills=["0:r0 paid 0.00, Paid"])


async def test_a_draft_that_nobody_sends_is_shown_as_one_for_ever_and_touches_nothing(life: Life) -> None:
    """EDGE-17: no dispatch, no due date, no grace."""
    sold = life.today()
    await life.sell("unsent", policy=GRACE | {"mode": "draft"})
    await life.forward_into(str(month_after(sold)))

    assert await seen(life, "unsent") == Seen(
        "active", "on", sold, month_after(sold, 2),
        ["0:r0 draft 395.00, Unattested", "1:r0 draft 395.00, Unattested"],
    )  # fmt: skip


async def test_an_account_that_goes_over_to_automatic_has_its_drafts_stay_drafts(life: Life) -> None:
    """EDGE-34: a change holds for bills made afterwards."""
    sold = life.today()
    await life.api.put("/v1/policy", json={"mode": "draft"})
    await life.sell("switched")
    await life.api.put("/v1/policy", json={"mode": "automatic"})
    await life.forward_into(str(month_after(sold)))

    assert await seen(life, "switched") == Seen(
        "active", "on", sold, month_after(sold, 2), ["0:r0 draft 395.00, Unattested", "1:r0 open 395.00, Unpaid"]
    )
