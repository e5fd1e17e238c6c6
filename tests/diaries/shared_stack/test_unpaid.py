"""Dated diaries: unpaid bills, grace, and payments in part, in excess, late, or reversed.

Every bill is due after ten days and has five days of grace, unless a diary says otherwise.
"""

from datetime import date, timedelta

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
    recall,
)

DAY = timedelta(days=1)


def on(sold: date, *bills: str, since: date | None = None, months: int = 1) -> Overview:
    """With access since the sale, and the next renewal `months` after it."""
    return Overview("active", "on", since or sold, month_after(sold, months), [*bills])


def off(sold: date, *bills: str, since: date | None = None, months: int = 1) -> Overview:
    """Without access since the first bill's grace ended."""
    return Overview("active", "off: past_grace", since or sold + OFF_AFTER, month_after(sold, months), [*bills])


async def test_an_unpaid_bill_turns_access_off_after_grace_until_paid(diary: Diary) -> None:
    """EDGE-4. The calendar does not move."""
    sold = diary.today()
    await diary.sell("late", policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER - DAY))
    last_day = await overview(diary, "late")
    await diary.forward_into(str(sold + OFF_AFTER))
    cut_off = await overview(diary, "late")
    sentence = await explanation(diary, "late")
    await diary.forward("4d")
    await diary.pay(await diary.bill("late", 0))
    restored = await overview(diary, "late")
    await diary.forward_into(str(month_after(sold)))
    renewed = await overview(diary, "late")
    await diary.record("late", "late_then_paid")

    assert last_day == on(sold, "0:r0 open 395.00, Overdue")
    assert cut_off == off(sold, "0:r0 open 395.00, Overdue")
    assert "bill late:0:r0 (395.00 left)" in sentence
    assert "Payment or credit of it turns access on." in sentence
    assert restored == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER + 4 * DAY)
    assert renewed == on(sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid", since=restored.since, months=2)


async def test_a_payment_within_grace_leaves_access_unchanged(diary: Diary) -> None:
    """EDGE-1."""
    sold = diary.today()
    await diary.sell("in-grace", policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER - DAY))
    await diary.pay(await diary.bill("in-grace", 0))
    await diary.forward_into(str(sold + OFF_AFTER))

    assert await overview(diary, "in-grace") == on(sold, "0:r0 paid 0.00, Paid")


async def test_without_grace_unpaid_bills_change_nothing(diary: Diary) -> None:
    """EDGE-11. While access is on, renewals continue."""
    sold = diary.today()
    await diary.sell("for-ever", policy={"payment_days": 10})
    await diary.forward_into(str(month_after(sold, 2)))

    bills = "0:r0 open 395.00, Overdue", "1:r0 open 395.00, Overdue", "2:r0 open 395.00, Unpaid"
    assert await overview(diary, "for-ever") == on(sold, *bills, months=3)


async def test_a_part_payment_does_not_prevent_the_cutoff(diary: Diary) -> None:
    """EDGE-2. There is no tolerance: one öre missing keeps the bill open."""
    sold = diary.today()
    await diary.sell("part", policy=GRACE)
    bill = await diary.bill("part", 0)
    await diary.pay(bill, "200.00")
    before = await overview(diary, "part")
    await diary.forward_into(str(sold + OFF_AFTER))
    await diary.pay(bill, "194.99")
    after = await overview(diary, "part")
    await diary.pay(bill, "0.01")

    assert before == on(sold, "0:r0 open 195.00, PartlyPaid")
    assert after == off(sold, "0:r0 open 0.01, PartlyPaid")
    assert await overview(diary, "part") == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER)


async def test_a_bill_with_only_reminder_fees_remaining_is_paid(diary: Diary) -> None:
    """EDGE-2 and EDGE-7. Fees, and waiving them, belong to Billogram."""
    sold = diary.today()
    await diary.sell("fees", policy=GRACE)
    bill = await diary.bill("fees", 0)
    await diary.forward_into(str(sold + 12 * DAY))
    await command(diary, bill, "remind")
    await diary.pay(bill, "395.00")
    paid = await overview(diary, "fees")
    remaining = (await diary.invoices(bill))[0]["remaining_sum"]
    await command(diary, bill, "writeoff")
    await diary.forward_into(str(sold + OFF_AFTER))
    waived = await overview(diary, "fees")

    assert paid.bills[0].startswith("0:r0 paid 0.00, ")
    assert remaining > 0
    assert waived == on(sold, "0:r0 paid 0.00, Paid")
    assert {"reminded", "payment", "fees_waived"} <= {*await fact_types(diary, bill)}


async def test_a_bill_with_only_interest_remaining_is_paid(diary: Diary) -> None:
    """EDGE-2. A late payment of the bare total leaves interest due at Billogram, and access is on."""
    sold = diary.today()
    lines = [{"title": "Global Large", "quantity": 1, "unit_price": "39500.00", "vat_rate": "25"}]
    for name in ("bare", "whole"):
        await diary.sell(name, lines=lines, policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER))
    bare, whole = await diary.bill("bare", 0), await diary.bill("whole", 0)
    await diary.pay(bare, "39500.00")
    await diary.pay(whole)
    left = [(await diary.invoices(bill))[0]["remaining_sum"] for bill in (bare, whole)]

    assert left == [55.19, 0]
    assert await overview(diary, "bare") == on(sold, "0:r0 paid 0.00, PartlyPaid", since=sold + OFF_AFTER)
    assert await overview(diary, "whole") == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER)


async def test_overpayment_leaves_the_bill_paid(diary: Diary) -> None:
    """EDGE-3. The excess is the subscriber's balance at Billogram; the next bill is not reduced."""
    sold = diary.today()
    await diary.sell("generous")
    bill = await diary.bill("generous", 0)
    await diary.pay(bill, "500.00")
    await diary.pay(bill, "395.00")
    await diary.forward_into(str(month_after(sold)))

    assert await overview(diary, "generous") == on(sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid", months=2)
    assert {"payment", "overpayment"} <= {*await fact_types(diary, bill)}


async def test_a_credit_counts_as_a_payment_for_access(diary: Diary) -> None:
    """EDGE-5 and EDGE-6. A partial credit reduces the remaining amount."""
    sold = diary.today()
    await diary.sell("credited-part", policy=GRACE)
    await diary.sell("credited-full", policy=GRACE)
    part, full = await diary.bill("credited-part", 0), await diary.bill("credited-full", 0)
    await diary.forward_into(str(sold + OFF_AFTER))
    await credit(diary, part, "95.00")
    reduced = await overview(diary, "credited-part")
    await diary.pay(part, "300.00")
    await credit(diary, full)
    await diary.record("credited-full", "credited")

    assert reduced == off(sold, "0:r0 open 300.00, Overdue")
    assert await overview(diary, "credited-part") == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER)
    assert await overview(diary, "credited-full") == on(sold, "0:r0 credited 0.00, Credited", since=sold + OFF_AFTER)


async def test_crediting_a_paid_bill_leaves_access_on(diary: Diary) -> None:
    """EDGE-5."""
    sold = diary.today()
    await diary.sell("paid-credited", policy=GRACE)
    bill = await diary.bill("paid-credited", 0)
    await diary.pay(bill)
    await credit(diary, bill)
    await diary.forward_into(str(sold + OFF_AFTER))

    assert await overview(diary, "paid-credited") == on(sold, "0:r0 paid 0.00, Credited")


async def test_two_bills_past_grace_must_both_be_settled(diary: Diary) -> None:
    """EDGE-5 and EDGE-9. The explanation names the remaining bill, and `since` does not move."""
    sold = diary.today()
    await diary.sell("both", policy=GRACE | {"renewal_while_off": "bill"})
    later = month_after(sold) + OFF_AFTER
    await diary.forward_into(str(later))
    first, second = await diary.bills("both")
    both = await explanation(diary, "both")
    await credit(diary, first)
    one = await overview(diary, "both")
    sentence = await explanation(diary, "both")
    await diary.pay(second)

    assert "all of both:0:r0, both:1:r0" in both
    assert one == off(sold, "0:r0 credited 0.00, Credited", "1:r0 open 395.00, Overdue", months=2)
    assert "bill both:1:r0 (395.00 left)" in sentence
    assert await overview(diary, "both") == on(
        sold, "0:r0 credited 0.00, Credited", "1:r0 paid 0.00, Paid", since=later, months=2
    )


async def test_paying_an_older_bill_keeps_the_newer_ones_cutoff(diary: Diary) -> None:
    """EDGE-9."""
    sold = diary.today()
    await diary.sell("older", policy=GRACE | {"renewal_while_off": "bill"})
    newer = month_after(sold)
    await diary.forward_into(str(newer))
    await diary.pay(await diary.bill("older", 0))
    paid = await overview(diary, "older")
    await diary.forward_into(str(newer + OFF_AFTER))

    assert paid == on(sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid", since=newer, months=2)
    assert await overview(diary, "older") == off(
        sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Overdue", since=newer + OFF_AFTER, months=2
    )


async def test_a_reversed_payment_gives_seven_more_days(diary: Diary) -> None:
    """EDGE-12. However late the reversal."""
    sold = diary.today()
    await diary.sell("recalled", policy=GRACE)
    bill = await diary.bill("recalled", 0)
    await diary.pay(bill)
    await diary.forward_into(str(sold + 18 * DAY))
    await recall(diary, bill)
    reopened = await overview(diary, "recalled")
    await diary.forward_into(str(sold + 26 * DAY))
    cut_off = await overview(diary, "recalled")
    await diary.pay(bill)
    await diary.record("recalled", "recalled")

    assert reopened == on(sold, "0:r0 open 395.00, Overdue")
    assert cut_off == off(sold, "0:r0 open 395.00, Overdue", since=sold + 26 * DAY)
    assert await overview(diary, "recalled") == on(sold, "0:r0 paid 0.00, Paid", since=sold + 26 * DAY)


async def test_a_respite_moves_the_cutoff_and_its_removal_moves_it_back(diary: Diary) -> None:
    """EDGE-2. A respite is the operator's way to give more time."""
    sold = diary.today()
    await diary.sell("given", policy=GRACE)
    await diary.sell("taken", policy=GRACE)
    for name in ("given", "taken"):
        await command(diary, await diary.bill(name, 0), "respite", {"date": str(sold + 14 * DAY)})
    await command(diary, await diary.bill("taken", 0), "remove-respite")
    await diary.forward_into(str(sold + OFF_AFTER))
    given, taken = await overview(diary, "given"), await overview(diary, "taken")
    await diary.forward_into(str(sold + 20 * DAY))

    assert given == on(sold, "0:r0 open 395.00, Overdue")
    assert taken == off(sold, "0:r0 open 395.00, Overdue")
    assert await overview(diary, "given") == off(sold, "0:r0 open 395.00, Overdue", since=sold + 20 * DAY)


async def test_a_respite_after_the_cutoff_restores_access_until_it_ends(diary: Diary) -> None:
    sold = diary.today()
    await diary.sell("mercy", policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER))
    await command(diary, await diary.bill("mercy", 0), "respite", {"date": str(sold + 20 * DAY)})
    mercy = await overview(diary, "mercy")
    await diary.forward_into(str(sold + 26 * DAY))

    assert mercy == on(sold, "0:r0 open 395.00, Overdue", since=sold + OFF_AFTER)
    assert await overview(diary, "mercy") == off(sold, "0:r0 open 395.00, Overdue", since=sold + 26 * DAY)


async def test_an_undelivered_invoice_is_still_owed(diary: Diary) -> None:
    """The failed delivery is in the history; due date and grace stay."""
    sold = diary.today()
    await diary.sell("bounced", policy=GRACE)
    bill = await diary.bill("bounced", 0)
    await diary.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/delivery", json={"outcome": "failed"})
    await diary.forward_into(str(sold + OFF_AFTER))

    assert "delivery_failed" in await fact_types(diary, bill)
    assert await overview(diary, "bounced") == off(sold, "0:r0 open 395.00, Overdue")


async def test_a_collected_payment_counts_and_grace_still_applies(diary: Diary) -> None:
    """EDGE-27."""
    sold = diary.today()
    await diary.sell("collected", policy=GRACE)
    bill = await diary.bill("collected", 0)
    await diary.forward_into(str(sold + 12 * DAY))
    await command(diary, bill, "collect")
    await diary.forward_into(str(sold + 14 * DAY))
    in_collection = await overview(diary, "collected")
    await diary.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/collector", json={"outcome": "paid"})
    await diary.forward_into(str(sold + OFF_AFTER))

    assert in_collection == on(sold, "0:r0 open 395.00, Collection")
    assert await overview(diary, "collected") == on(sold, "0:r0 paid 0.00, Paid")


async def test_an_unpaid_contract_does_not_block_a_new_sale(diary: Diary) -> None:
    """EDGE-39."""
    sold = diary.today()
    subscriber = {"subscriber_id": "s-debtor", "name": "Nils Holm", "email": "nils@example.com"}
    await diary.sell("old-debt", subscriber=subscriber, policy=GRACE)
    await diary.forward_into(str(sold + OFF_AFTER))
    await diary.sell("new-sale", subscriber=subscriber, policy=GRACE)

    assert (await overview(diary, "old-debt")).access == "off: past_grace"
    assert await overview(diary, "new-sale") == on(sold + OFF_AFTER, "0:r0 open 395.00, Unpaid")
