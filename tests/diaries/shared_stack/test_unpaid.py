"""Unpaid bills, grace, and money that comes in part, too much, late, or is taken back: dated diaries.

Every bill of these contracts is due after ten days, and has five days of grace.
"""

from datetime import date, timedelta

from tests.diaries.life import Life
from tests.diaries.seen import GRACE, OFF_AFTER, Seen, command, credit, history, month_after, recall, seen, why

DAY = timedelta(days=1)


def on(sold: date, *bills: str, since: date | None = None, months: int = 1) -> Seen:
    """Since the sale, if nothing else is said, and renewed so many months after it."""
    return Seen("active", "on", since or sold, month_after(sold, months), [*bills])


def off(sold: date, *bills: str, since: date | None = None, months: int = 1) -> Seen:
    """Since the first bill's grace ended, if nothing else is said."""
    return Seen("active", "off: past_grace", since or sold + OFF_AFTER, month_after(sold, months), [*bills])


async def test_an_unpaid_bill_turns_access_off_after_its_grace_and_a_payment_turns_it_on_again(life: Life) -> None:
    """EDGE-4. The calendar stays as it was."""
    sold = life.today()
    await life.sell("late", policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER - DAY))
    last_day = await seen(life, "late")
    await life.forward_into(str(sold + OFF_AFTER))
    dark = await seen(life, "late")
    sentence = await why(life, "late")
    await life.forward("4d")
    await life.pay(await life.bill("late", 0))
    lit = await seen(life, "late")
    await life.forward_into(str(month_after(sold)))
    renewed = await seen(life, "late")
    await life.record("late", "late_then_paid")

    assert last_day == on(sold, "0:r0 open 395.00, Overdue")
    assert dark == off(sold, "0:r0 open 395.00, Overdue")
    assert "bill late:0:r0 (395.00 left)" in sentence
    assert "Payment or credit of it turns access on." in sentence
    assert lit == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER + 4 * DAY)
    assert renewed == on(sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid", since=lit.since, months=2)


async def test_a_payment_within_grace_leaves_access_as_it_was(life: Life) -> None:
    """EDGE-1. Nothing flips, and nothing comes of the bill's cutoff any more."""
    sold = life.today()
    await life.sell("in-grace", policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER - DAY))
    await life.pay(await life.bill("in-grace", 0))
    await life.forward_into(str(sold + OFF_AFTER))

    assert await seen(life, "in-grace") == on(sold, "0:r0 paid 0.00, Paid")


async def test_without_grace_unpaid_bills_change_nothing(life: Life) -> None:
    """EDGE-11: while access is on, renewals go on."""
    sold = life.today()
    await life.sell("for-ever", policy={"payment_days": 10})
    await life.forward_into(str(month_after(sold, 2)))

    bills = "0:r0 open 395.00, Overdue", "1:r0 open 395.00, Overdue", "2:r0 open 395.00, Unpaid"
    assert await seen(life, "for-ever") == on(sold, *bills, months=3)


async def test_a_part_payment_stops_nothing_before_the_cutoff_nor_after_it(life: Life) -> None:
    """EDGE-2, without a tolerance: one öre that is missing is missing."""
    sold = life.today()
    await life.sell("part", policy=GRACE)
    bill = await life.bill("part", 0)
    await life.pay(bill, "200.00")
    before = await seen(life, "part")
    await life.forward_into(str(sold + OFF_AFTER))
    await life.pay(bill, "194.99")
    after = await seen(life, "part")
    await life.pay(bill, "0.01")

    assert before == on(sold, "0:r0 open 195.00, PartlyPaid")
    assert after == off(sold, "0:r0 open 0.01, PartlyPaid")
    assert await seen(life, "part") == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER)


async def test_a_bill_of_which_only_reminder_fees_remain_is_paid(life: Life) -> None:
    """EDGE-2 and EDGE-7: fees are the platform's matter, and so is waiving them."""
    sold = life.today()
    await life.sell("fees", policy=GRACE)
    bill = await life.bill("fees", 0)
    await life.forward_into(str(sold + 12 * DAY))
    await command(life, bill, "remind")
    await life.pay(bill, "395.00")
    paid = await seen(life, "fees")
    remaining = (await life.invoices(bill))[0]["remaining_sum"]
    await command(life, bill, "writeoff")
    await life.forward_into(str(sold + OFF_AFTER))
    waived = await seen(life, "fees")

    assert paid.bills[0].startswith("0:r0 paid 0.00, ")
    assert remaining > 0
    assert waived == on(sold, "0:r0 paid 0.00, Paid")
    assert {"reminded", "payment", "fees_waived"} <= {*await history(life, bill)}


async def test_a_bill_of_which_only_interest_remains_is_paid(life: Life) -> None:
    """EDGE-2. Whoever pays late the bare sum owes Billogram its interest, and reads; whoever pays all that is shown
    there is done at both."""
    sold = life.today()
    dear = [{"title": "Global Large", "quantity": 1, "unit_price": "39500.00", "vat_rate": "25"}]
    for name in ("bare", "whole"):
        await life.sell(name, lines=dear, policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER))
    bare, whole = await life.bill("bare", 0), await life.bill("whole", 0)
    await life.pay(bare, "39500.00")
    await life.pay(whole)
    left = [(await life.invoices(bill))[0]["remaining_sum"] for bill in (bare, whole)]

    assert left == [55.19, 0]
    assert await seen(life, "bare") == on(sold, "0:r0 paid 0.00, PartlyPaid", since=sold + OFF_AFTER)
    assert await seen(life, "whole") == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER)


async def test_what_is_paid_too_much_or_twice_leaves_the_bill_paid_and_the_rest_to_people(life: Life) -> None:
    """EDGE-3. The next bill is not touched: what is too much is the reader's balance at Billogram."""
    sold = life.today()
    await life.sell("generous")
    bill = await life.bill("generous", 0)
    await life.pay(bill, "500.00")
    await life.pay(bill, "395.00")
    await life.forward_into(str(month_after(sold)))

    assert await seen(life, "generous") == on(sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid", months=2)
    assert {"payment", "overpayment"} <= {*await history(life, bill)}


async def test_a_credit_counts_as_a_payment_for_access_and_one_in_part_reduces_what_remains(life: Life) -> None:
    """EDGE-5 and EDGE-6: off because of this bill, then on."""
    sold = life.today()
    await life.sell("credited-part", policy=GRACE)
    await life.sell("credited-full", policy=GRACE)
    part, full = await life.bill("credited-part", 0), await life.bill("credited-full", 0)
    await life.forward_into(str(sold + OFF_AFTER))
    await credit(life, part, "95.00")
    reduced = await seen(life, "credited-part")
    await life.pay(part, "300.00")
    await credit(life, full)
    await life.record("credited-full", "credited")

    assert reduced == off(sold, "0:r0 open 300.00, Overdue")
    assert await seen(life, "credited-part") == on(sold, "0:r0 paid 0.00, Paid", since=sold + OFF_AFTER)
    assert await seen(life, "credited-full") == on(sold, "0:r0 credited 0.00, Credited", since=sold + OFF_AFTER)


async def test_a_paid_bill_that_is_credited_turns_nothing_off(life: Life) -> None:
    """EDGE-5, last row."""
    sold = life.today()
    await life.sell("paid-credited", policy=GRACE)
    bill = await life.bill("paid-credited", 0)
    await life.pay(bill)
    await credit(life, bill)
    await life.forward_into(str(sold + OFF_AFTER))

    assert await seen(life, "paid-credited") == on(sold, "0:r0 paid 0.00, Credited")


async def test_with_two_bills_past_their_grace_access_is_on_when_both_are_settled(life: Life) -> None:
    """EDGE-5 and EDGE-9: the sentence names the bill that is left."""
    sold = life.today()
    await life.sell("both", policy=GRACE | {"renewal_while_off": "bill"})
    later = month_after(sold) + OFF_AFTER
    await life.forward_into(str(later))
    first, second = await life.bills("both")
    both = await why(life, "both")
    await credit(life, first)
    one = await seen(life, "both")
    sentence = await why(life, "both")
    await life.pay(second)

    assert "all of both:0:r0, both:1:r0" in both
    assert one == off(sold, "0:r0 credited 0.00, Credited", "1:r0 open 395.00, Overdue", since=later, months=2)
    assert "bill both:1:r0 (395.00 left)" in sentence
    assert await seen(life, "both") == on(
        sold, "0:r0 credited 0.00, Credited", "1:r0 paid 0.00, Paid", since=later, months=2
    )


async def test_an_older_bill_that_is_paid_leaves_the_newer_one_its_own_cutoff(life: Life) -> None:
    """EDGE-9, the newer one before its cutoff."""
    sold = life.today()
    await life.sell("older", policy=GRACE | {"renewal_while_off": "bill"})
    newer = month_after(sold)
    await life.forward_into(str(newer))
    await life.pay(await life.bill("older", 0))
    paid = await seen(life, "older")
    await life.forward_into(str(newer + OFF_AFTER))

    assert paid == on(sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid", since=newer, months=2)
    assert await seen(life, "older") == off(
        sold, "0:r0 paid 0.00, Paid", "1:r0 open 395.00, Overdue", since=newer + OFF_AFTER, months=2
    )


async def test_money_that_is_taken_back_gives_seven_more_days_however_late(life: Life) -> None:
    """EDGE-12."""
    sold = life.today()
    await life.sell("recalled", policy=GRACE)
    bill = await life.bill("recalled", 0)
    await life.pay(bill)
    await life.forward_into(str(sold + 18 * DAY))
    await recall(life, bill)
    reopened = await seen(life, "recalled")
    await life.forward_into(str(sold + 26 * DAY))
    dark = await seen(life, "recalled")
    await life.pay(bill)
    await life.record("recalled", "recalled")

    assert reopened == on(sold, "0:r0 open 395.00, Overdue")
    assert dark == off(sold, "0:r0 open 395.00, Overdue", since=sold + 26 * DAY)
    assert await seen(life, "recalled") == on(sold, "0:r0 paid 0.00, Paid", since=sold + 26 * DAY)


async def test_respite_moves_the_cutoff_and_its_removal_moves_it_back(life: Life) -> None:
    """EDGE-2, the last word of row four: respite is the operator's way to give more time."""
    sold = life.today()
    await life.sell("given", policy=GRACE)
    await life.sell("taken", policy=GRACE)
    for name in ("given", "taken"):
        await command(life, await life.bill(name, 0), "respite", {"date": str(sold + 14 * DAY)})
    await command(life, await life.bill("taken", 0), "remove-respite")
    await life.forward_into(str(sold + OFF_AFTER))
    given, taken = await seen(life, "given"), await seen(life, "taken")
    await life.forward_into(str(sold + 20 * DAY))

    assert given == on(sold, "0:r0 open 395.00, Overdue")
    assert taken == off(sold, "0:r0 open 395.00, Overdue")
    assert await seen(life, "given") == off(sold, "0:r0 open 395.00, Overdue", since=sold + 20 * DAY)


async def test_respite_that_is_given_after_the_cutoff_turns_access_on_until_it_ends(life: Life) -> None:
    sold = life.today()
    await life.sell("mercy", policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER))
    await command(life, await life.bill("mercy", 0), "respite", {"date": str(sold + 20 * DAY)})
    mercy = await seen(life, "mercy")
    await life.forward_into(str(sold + 26 * DAY))

    assert mercy == on(sold, "0:r0 open 395.00, Overdue", since=sold + OFF_AFTER)
    assert await seen(life, "mercy") == off(sold, "0:r0 open 395.00, Overdue", since=sold + 26 * DAY)


async def test_an_invoice_that_could_not_be_delivered_is_owed_all_the_same(life: Life) -> None:
    """Its failed delivery is in the history; due date and grace stay."""
    sold = life.today()
    await life.sell("bounced", policy=GRACE)
    bill = await life.bill("bounced", 0)
    await life.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/delivery", json={"outcome": "failed"})
    await life.forward_into(str(sold + OFF_AFTER))

    assert "delivery_failed" in await history(life, bill)
    assert await seen(life, "bounced") == off(sold, "0:r0 open 395.00, Overdue")


async def test_at_the_collector_access_is_as_by_grace_and_what_it_collects_counts(life: Life) -> None:
    """EDGE-27."""
    sold = life.today()
    await life.sell("collected", policy=GRACE)
    bill = await life.bill("collected", 0)
    await life.forward_into(str(sold + 12 * DAY))
    await command(life, bill, "collect")
    await life.forward_into(str(sold + 14 * DAY))
    in_collection = await seen(life, "collected")
    await life.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/collector", json={"outcome": "paid"})
    await life.forward_into(str(sold + OFF_AFTER))

    assert in_collection == on(sold, "0:r0 open 395.00, Collection")
    assert await seen(life, "collected") == on(sold, "0:r0 paid 0.00, Paid")


async def test_an_old_debt_does_not_keep_a_reader_from_buying_again(life: Life) -> None:
    """EDGE-39."""
    sold = life.today()
    reader = {"subscriber_id": "s-debtor", "name": "Nils Holm", "email": "nils@example.com"}
    await life.sell("old-debt", subscriber=reader, policy=GRACE)
    await life.forward_into(str(sold + OFF_AFTER))
    await life.sell("new-sale", subscriber=reader, policy=GRACE)

    assert (await seen(life, "old-debt")).access == "off: past_grace"
    assert await seen(life, "new-sale") == on(sold + OFF_AFTER, "0:r0 open 395.00, Unpaid")
