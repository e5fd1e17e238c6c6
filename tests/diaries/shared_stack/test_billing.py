"""Dated diaries: billing at the sale and at renewals, drafts, fixed terms, and cancellations."""

from datetime import date

from temporalio.client import WorkflowHistory

from tests.diaries.diary import Diary, Json


def bill_lines(bills: list[Json]) -> list[tuple[int, str, str]]:
    return [(bill["period"]["number"], bill["status"], bill["total"]) for bill in bills]


def fairness_key(run: WorkflowHistory) -> str:
    return run.events[0].workflow_execution_started_event_attributes.priority.fairness_key


async def test_a_monthly_contract_is_billed_once_per_period(diary: Diary) -> None:
    await diary.sell("months")
    for _ in range(14):
        await diary.forward("9d")
        await diary.pay((await diary.bills("months"))[-1])
        await diary.forward_into(str((await diary.contract("months"))["next_renewal"]))
    bills = await diary.bills("months")
    runs = await diary.histories("months")
    await diary.record("months", "paid_months")

    assert bill_lines(bills) == [(number, "paid", "395.00") for number in range(14)] + [(14, "open", "395.00")]
    assert [bill["period"]["end"] for bill in bills[:-1]] == [bill["period"]["start"] for bill in bills[1:]]
    assert [len(await diary.invoices(bill)) for bill in bills] == [1] * 15
    assert [fairness_key(run) for run in runs] == ["demo"] * 2


async def test_a_drafts_due_date_counts_from_its_sending(diary: Diary) -> None:
    await diary.sell("draft", policy={"mode": "draft"})
    draft = await diary.bill("draft", 0)
    await diary.forward("5d")
    await diary.staff("POST", f"/billogram/{draft['billogram_id']}/command/send", {"method": "Email"})
    sent = await diary.bill("draft", 0)
    await diary.pay(sent)
    paid = await diary.bill("draft", 0)
    await diary.record("draft", "draft_sent")

    assert (draft["status"], draft["due_date"], draft["invoice_no"]) == ("draft", None, None)
    assert sent["status"] == "open"
    assert date.fromisoformat(sent["due_date"]).toordinal() == diary.today().toordinal() + 30
    assert sent["invoice_no"] is not None
    assert paid["status"] == "paid"


async def test_a_draft_edited_by_staff_is_owed_as_sent(diary: Diary) -> None:
    """EDGE-33."""
    await diary.sell("changed", policy={"mode": "draft"})
    draft = await diary.bill("changed", 0)
    rows = [{"title": "Global Medium", "count": 1, "price": 200, "vat": 25}]
    path = f"/billogram/{draft['billogram_id']}"
    customer = {"customer_no": (await diary.staff("GET", path))["customer"]["customer_no"]}
    await diary.staff("PUT", path, {"customer": customer, "items": rows})
    await diary.staff("POST", f"{path}/command/send", {"method": "Email"})
    sent = await diary.bill("changed", 0)

    assert (sent["status"], sent["total"], sent["agreed_total"], sent["vat"]) == ("open", "250.00", "395.00", "50.00")


async def test_a_deleted_draft_is_retried_as_the_next_revision(diary: Diary) -> None:
    """EDGE-18."""
    await diary.sell("deleted", policy={"mode": "draft"})
    draft = await diary.bill("deleted", 0)
    await diary.staff("DELETE", f"/billogram/{draft['billogram_id']}")
    parked = await diary.bill("deleted", 0)
    retried = await diary.command(f"/v1/bills/{parked['bill_id']}/retry")
    await diary.record("deleted", "draft_deleted")
    bills = await diary.bills("deleted")

    assert (parked["status"], parked["parked"]["reason"]) == ("parked", "remote_deleted")
    assert retried.json()["bill_id"] == "deleted:0:r1"
    assert [(bill["bill_id"], bill["status"]) for bill in bills] == [
        ("deleted:0:r0", "void"),
        ("deleted:0:r1", "draft"),
    ]


async def test_a_fixed_term_ends_and_its_last_bill_can_still_be_paid(diary: Diary) -> None:
    await diary.sell("fixed", fixed_periods=2)
    await diary.pay(await diary.bill("fixed", 0))
    last_day = (await diary.contract("fixed"))["access"]["next_change"]["at"]
    await diary.forward("70d")
    ended = await diary.contract("fixed")
    await diary.pay(await diary.bill("fixed", 1))
    is_running = await diary.is_running("fixed")
    await diary.record("fixed", "fixed_term")

    assert (ended["status"], ended["access"]["access"], ended["access"]["reason"]) == ("ended", "off", "ended")
    assert ended["access"]["since"] == last_day
    assert bill_lines(await diary.bills("fixed")) == [(0, "paid", "395.00"), (1, "paid", "395.00")]
    assert not is_running


async def test_a_cancelled_contract_keeps_access_until_its_period_end(diary: Diary) -> None:
    """EDGE-20."""
    await diary.sell("cancelled")
    period_end = (await diary.contract("cancelled"))["current_period"]["end"]
    first = await diary.command("/v1/contracts/cancelled/cancel", {"at": "period_end"})
    repeated = await diary.command("/v1/contracts/cancelled/cancel", {"at": "period_end"})
    await diary.forward_into(period_end)
    ended = await diary.contract("cancelled")
    await diary.pay(await diary.bill("cancelled", 0))
    await diary.record("cancelled", "cancelled")

    assert (first.json()["status"], first.json()["access"]["access"]) == ("cancelling", "on")
    assert repeated.json()["access"] == first.json()["access"]
    assert (ended["status"], ended["access"]["reason"]) == ("ended", "cancelled")
    assert bill_lines(await diary.bills("cancelled")) == [(0, "paid", "395.00")]
    assert not await diary.is_running("cancelled")


async def test_a_revoked_cancellation_lets_the_contract_renew(diary: Diary) -> None:
    """EDGE-22."""
    await diary.sell("revoked")
    period_end = (await diary.contract("revoked"))["current_period"]["end"]
    await diary.command("/v1/contracts/revoked/cancel", {"at": "period_end"})
    revoked = await diary.command("/v1/contracts/revoked/revoke-cancellation")
    await diary.forward_into(period_end)
    await diary.record("revoked", "revoked")

    assert revoked.json()["status"] == "active"
    assert [status for _, status, _ in bill_lines(await diary.bills("revoked"))] == ["open", "open"]


async def test_an_immediate_cancellation_turns_access_off(diary: Diary) -> None:
    """EDGE-21. A past date is refused."""
    await diary.sell("now")
    past = await diary.command("/v1/contracts/now/cancel", {"at": "2020-01-01"})
    ended = await diary.command("/v1/contracts/now/cancel", {"at": "now"})
    repeated = await diary.command("/v1/contracts/now/cancel", {"at": "now"})
    revoked = await diary.command("/v1/contracts/now/revoke-cancellation")
    await diary.record("now", "cancelled_now")

    assert past.status_code == 409
    assert "has passed" in past.json()["detail"]
    assert (ended.json()["status"], ended.json()["access"]["access"]) == ("ended", "off")
    assert repeated.status_code == 200
    assert revoked.status_code == 409


async def test_a_contract_sold_ahead_is_billed_immediately_and_starts_later(diary: Diary) -> None:
    start = date.fromordinal(diary.today().toordinal() + 20).isoformat()
    await diary.sell("ahead", start_date=start)
    before = await diary.contract("ahead")
    await diary.forward_into(start)
    started = await diary.contract("ahead")
    await diary.record("ahead", "sold_ahead")

    assert (before["access"]["access"], before["access"]["reason"]) == ("off", "not_started")
    assert (started["access"]["access"], started["access"]["reason"]) == ("on", "active")
    assert [status for _, status, _ in bill_lines(await diary.bills("ahead"))] == ["open"]


async def test_a_credited_bill_leaves_the_contract_active(diary: Diary) -> None:
    """EDGE-5."""
    await diary.sell("credited")
    bill = await diary.bill("credited", 0)
    await diary.staff("POST", f"/billogram/{bill['billogram_id']}/command/credit", {"mode": "full"})
    credited = await diary.bill("credited", 0)

    assert (credited["status"], credited["status_text"]) == ("credited", "paid (credited)")
    assert (await diary.contract("credited"))["status"] == "active"


async def test_a_sum_of_zero_makes_no_invoice(diary: Diary) -> None:
    """EDGE-30."""
    line = {"title": "Free month", "quantity": 1, "unit_price": "0.00", "vat_rate": "6"}
    await diary.sell("free", lines=[line])
    bill = await diary.bill("free", 0)

    assert (bill["status"], bill["billogram_id"]) == ("paid", None)
    assert await diary.invoices(bill) == []
