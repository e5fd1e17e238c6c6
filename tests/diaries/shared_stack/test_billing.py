"""A contract is billed at once and at every renewal, paid, ended, cancelled: dated diaries on the whole stack."""

from datetime import date

from temporalio.client import WorkflowHistory

from tests.diaries.life import Json, Life

PAID_CYCLE_EVENTS_MAX = 17


def told(bills: list[Json]) -> list[tuple[int, str, str]]:
    return [(bill["period"]["number"], bill["status"], bill["total"]) for bill in bills]


def turn_of(run: WorkflowHistory) -> str:
    """The key by which Temporal lets contracts take turns where many wait."""
    return run.events[0].workflow_execution_started_event_attributes.priority.fairness_key


async def test_a_monthly_contract_is_billed_once_per_period_and_continues_as_new_on_the_way(life: Life) -> None:
    await life.sell("months")
    for _ in range(14):
        await life.forward("9d")
        await life.pay((await life.bills("months"))[-1])
        await life.forward_into(str((await life.contract("months"))["next_renewal"]))
    bills = await life.bills("months")
    runs = await life.histories("months")
    await life.record("months", "paid_months")

    assert told(bills) == [(number, "paid", "395.00") for number in range(14)] + [(14, "open", "395.00")]
    assert [bill["period"]["end"] for bill in bills[:-1]] == [bill["period"]["start"] for bill in bills[1:]]
    assert [len(await life.invoices(bill)) for bill in bills] == [1] * 15
    assert [turn_of(run) for run in runs] == ["demo"] * 2


async def test_a_draft_waits_for_staff_and_is_due_from_the_day_on_which_they_send_it(life: Life) -> None:
    await life.sell("draft", policy={"mode": "draft"})
    draft = await life.bill("draft", 0)
    await life.forward("5d")
    await life.staff("POST", f"/billogram/{draft['billogram_id']}/command/send", {"method": "Email"})
    sent = await life.bill("draft", 0)
    await life.pay(sent)
    paid = await life.bill("draft", 0)
    await life.record("draft", "draft_sent")

    assert (draft["status"], draft["due_date"], draft["invoice_no"]) == ("draft", None, None)
    assert sent["status"] == "open"
    assert date.fromisoformat(sent["due_date"]).toordinal() == life.today().toordinal() + 30
    assert sent["invoice_no"] is not None
    assert paid["status"] == "paid"


async def test_a_draft_that_staff_change_is_owed_as_they_sent_it(life: Life) -> None:
    """EDGE-33, where staff wanted another sum."""
    await life.sell("changed", policy={"mode": "draft"})
    draft = await life.bill("changed", 0)
    rows = [{"title": "Global Medium", "count": 1, "price": 200, "vat": 25}]
    path = f"/billogram/{draft['billogram_id']}"
    customer = {"customer_no": (await life.staff("GET", path))["customer"]["customer_no"]}
    await life.staff("PUT", path, {"customer": customer, "items": rows})
    await life.staff("POST", f"{path}/command/send", {"method": "Email"})
    sent = await life.bill("changed", 0)

    assert (sent["status"], sent["total"], sent["agreed_total"], sent["vat"]) == ("open", "250.00", "395.00", "50.00")


async def test_a_deleted_draft_parks_its_bill_and_a_retry_makes_the_next_revision(life: Life) -> None:
    """EDGE-18."""
    await life.sell("deleted", policy={"mode": "draft"})
    draft = await life.bill("deleted", 0)
    await life.staff("DELETE", f"/billogram/{draft['billogram_id']}")
    parked = await life.bill("deleted", 0)
    retried = await life.command(f"/v1/bills/{parked['bill_id']}/retry")
    await life.record("deleted", "draft_deleted")
    bills = await life.bills("deleted")

    assert (parked["status"], parked["parked"]["reason"]) == ("parked", "remote_deleted")
    assert retried.json()["bill_id"] == "deleted:0:r1"
    assert [(bill["bill_id"], bill["status"]) for bill in bills] == [
        ("deleted:0:r0", "void"),
        ("deleted:0:r1", "draft"),
    ]


async def test_fixed_periods_end_by_themselves_and_the_last_bill_can_still_be_paid(life: Life) -> None:
    await life.sell("fixed", fixed_periods=2)
    await life.pay(await life.bill("fixed", 0))
    last_day = (await life.contract("fixed"))["access"]["next_change"]["at"]
    await life.forward("70d")
    ended = await life.contract("fixed")
    await life.pay(await life.bill("fixed", 1))
    is_running = await life.is_running("fixed")
    await life.record("fixed", "fixed_term")

    assert (ended["status"], ended["access"]["access"], ended["access"]["reason"]) == ("ended", "off", "ended")
    assert ended["access"]["since"] == last_day
    assert told(await life.bills("fixed")) == [(0, "paid", "395.00"), (1, "paid", "395.00")]
    assert not is_running


async def test_a_cancelled_contract_keeps_access_to_its_period_end_and_is_not_billed_again(life: Life) -> None:
    """EDGE-20."""
    await life.sell("cancelled")
    period_end = (await life.contract("cancelled"))["current_period"]["end"]
    first = await life.command("/v1/contracts/cancelled/cancel", {"at": "period_end"})
    again = await life.command("/v1/contracts/cancelled/cancel", {"at": "period_end"})
    await life.forward_into(period_end)
    over = await life.contract("cancelled")
    await life.pay(await life.bill("cancelled", 0))
    await life.record("cancelled", "cancelled")

    assert (first.json()["status"], first.json()["access"]["access"]) == ("cancelling", "on")
    assert again.json()["access"] == first.json()["access"]
    assert (over["status"], over["access"]["reason"]) == ("ended", "cancelled")
    assert told(await life.bills("cancelled")) == [(0, "paid", "395.00")]
    assert not await life.is_running("cancelled")


async def test_a_revoked_cancellation_lets_the_contract_renew(life: Life) -> None:
    """EDGE-22."""
    await life.sell("revoked")
    period_end = (await life.contract("revoked"))["current_period"]["end"]
    await life.command("/v1/contracts/revoked/cancel", {"at": "period_end"})
    revoked = await life.command("/v1/contracts/revoked/revoke-cancellation")
    await life.forward_into(period_end)
    await life.record("revoked", "revoked")

    assert revoked.json()["status"] == "active"
    assert [status for _, status, _ in told(await life.bills("revoked"))] == ["open", "open"]


async def test_cancelling_now_turns_access_off_at_once_and_a_passed_day_is_refused(life: Life) -> None:
    """EDGE-21, without a credit."""
    await life.sell("now")
    passed = await life.command("/v1/contracts/now/cancel", {"at": "2020-01-01"})
    over = await life.command("/v1/contracts/now/cancel", {"at": "now"})
    again = await life.command("/v1/contracts/now/cancel", {"at": "now"})
    revoked = await life.command("/v1/contracts/now/revoke-cancellation")
    await life.record("now", "cancelled_now")

    assert passed.status_code == 409
    assert "has passed" in passed.json()["detail"]
    assert (over.json()["status"], over.json()["access"]["access"]) == ("ended", "off")
    assert again.status_code == 200
    assert revoked.status_code == 409


async def test_a_contract_sold_ahead_is_billed_at_once_and_begins_on_its_day(life: Life) -> None:
    start = date.fromordinal(life.today().toordinal() + 20).isoformat()
    await life.sell("ahead", start_date=start)
    before = await life.contract("ahead")
    await life.forward_into(start)
    begun = await life.contract("ahead")
    await life.record("ahead", "sold_ahead")

    assert (before["access"]["access"], before["access"]["reason"]) == ("off", "not_started")
    assert (begun["access"]["access"], begun["access"]["reason"]) == ("on", "active")
    assert [status for _, status, _ in told(await life.bills("ahead"))] == ["open"]


async def test_staff_credit_a_bill_and_the_contract_goes_on(life: Life) -> None:
    """EDGE-5, first row."""
    await life.sell("credited")
    bill = await life.bill("credited", 0)
    await life.staff("POST", f"/billogram/{bill['billogram_id']}/command/credit", {"mode": "full"})
    credited = await life.bill("credited", 0)

    assert (credited["status"], credited["status_text"]) == ("credited", "paid (credited)")
    assert (await life.contract("credited"))["status"] == "active"


async def test_a_sum_of_zero_makes_no_invoice(life: Life) -> None:
    """EDGE-30."""
    line = {"title": "Free month", "quantity": 1, "unit_price": "0.00", "vat_rate": "6"}
    await life.sell("free", lines=[line])
    bill = await life.bill("free", 0)

    assert (bill["status"], bill["billogram_id"]) == ("paid", None)
    assert await life.invoices(bill) == []
