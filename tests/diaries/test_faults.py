"""Every fault of the sandbox, each on a contract of its own: one invoice per period, and nobody loses access wrongly.

What surprises, and what it would cost: a failed or truncated response may belong to an invoice that was created and
sent, and a request that timed out may be carried out later; to post it again would bill twice. A callback may arrive
before the response, twice, out of order, or never; to rely on their order would lose payments, and to rely on their
arrival would cut off subscribers who have paid.

All contracts share one stack. Each is sold on the first day and paid on the thirteenth, access would go off on the
seventeenth, and a month later the next bill is created while Billogram fails at random.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.diaries.diary import Diary, Json, in_parallel, sale
from tests.diaries.overview import GRACE, OFF_AFTER, Overview, fact_types, month_after, overview

pytestmark = [
    pytest.mark.parametrize("diary", ["sqlite"], indirect=True, scope="module"),
    pytest.mark.timeout(300),  # the first test waits for the whole story
]

CREATE = "POST /billogram"
FIND = "GET /billogram"
CUSTOMER = "POST /customer"


def once(fault: str, *requests: str, **how: object) -> Json:
    """The fault strikes each of these requests once."""
    return {"api": {fault: 1, "only": [*requests], "times": len(requests), **how}}


AT_THE_SALE = {
    # The request is not carried out.
    "down": {"api": {"down": True, "times": 4}},
    "503": once("status_503", CREATE),
    "429": once("status_429", CREATE, retry_after=None),
    "500 with HTML": once("html_error", CREATE),
    "500 with JSON": once("json_error", CREATE),
    "200 with HTML": once("html_ok", CREATE),
    "hung up": once("disconnect", CREATE),
    "customer hung up": once("disconnect", CUSTOMER),
    "lookup refused too": once("status_503", CREATE, FIND),
    # It is carried out, and the response is lost.
    "stored, then 500": once("fail_after_store", CREATE),
    "stored, then hung up": once("disconnect_after_store", CREATE),
    "truncated response": once("truncate", CREATE),
    "customer stored, then 500": once("fail_after_store", CUSTOMER),
    "lookup lost too": once("disconnect_after_store", CREATE, FIND),
    # It is slow.
    "slow": {"api": {"latency_ms": [200, 400]}},
    # Callbacks.
    "callbacks lost": {"callbacks": {"drop": 1}},
    "callbacks repeated": {"callbacks": {"duplicate": 1}},
    "callbacks late": {"callbacks": {"delay_ms": [300, 400]}},
    "callbacks reordered": {"callbacks": {"reorder": True}, "seed": 1},
    "callbacks before the response": {"callbacks": {"before_answer": 1}},
    "callbacks before a lost response": once("fail_after_store", CREATE) | {"callbacks": {"before_answer": 1}},
    "callbacks before a truncated response": once("truncate", CREATE) | {"callbacks": {"before_answer": 1}},
    # These two last as long as our timeout, so they run together, after the others.
    "stored, no response": once("timeout", CREATE),
    "stored too late": once("late", CREATE),
}
SLOW = ("stored, no response", "stored too late")
AT_THE_PAYMENT = {name: faults for name, faults in AT_THE_SALE.items() if "callbacks" in faults and "api" not in faults}
AT_THE_CUTOFF = once("status_503", "GET /billogram/{id}", "GET /billogram/{id}")
"""The reads that verify unpaid bills before the cutoff."""
AT_THE_RENEWAL = {
    "api": dict.fromkeys(("status_503", "html_error", "json_error", "html_ok", "disconnect"), 0.03)
    | dict.fromkeys(("fail_after_store", "disconnect_after_store", "truncate"), 0.06),
    "callbacks": {"duplicate": 0.3, "reorder": True, "drop": 0.2, "before_answer": 0.2},
    "seed": 5,
}
RETRIES_LAST = "2h"


@pytest.fixture(autouse=True)
def end_contracts() -> None:
    """All tests of this file look at the same contracts."""


@dataclass
class Days:
    """Each contract on the days of the story, and the faults that struck it."""

    sold: date
    struck: dict[str, Json]
    struck_at_cutoff: Json
    struck_at_renewal: Json
    after_sale: dict[str, Overview]
    at_cutoff: dict[str, Overview]
    after_renewal: dict[str, Overview]


@pytest.fixture(scope="module")
async def days(diary: Diary) -> Days:
    days = Days(diary.today(), {}, {}, {}, {}, {}, {})
    for name, faults in AT_THE_SALE.items():
        days.struck[name] = await sell_amid(diary, name, faults)
    await diary.wait_until(lambda: all_created(diary))
    await diary.drain()
    days.after_sale = await overviews(diary)

    await diary.forward_into(str(days.sold + timedelta(days=12)))
    for name in AT_THE_SALE:
        async with diary.faults(AT_THE_PAYMENT.get(name, {})):
            await pay(diary, await diary.bill(contract_of(name), 0))
    await diary.drain()
    async with diary.faults(AT_THE_CUTOFF):
        await diary.forward_into(str(days.sold + OFF_AFTER))
        await diary.forward(RETRIES_LAST)
        days.struck_at_cutoff = await struck(diary)
    days.at_cutoff = await overviews(diary)

    async with diary.faults(AT_THE_RENEWAL):
        await diary.forward_into(str(month_after(days.sold)))
        await diary.forward(RETRIES_LAST)
        days.struck_at_renewal = await struck(diary)
    await diary.forward("7h")
    await diary.reconcile()
    days.after_renewal = await overviews(diary)
    return days


@pytest.mark.parametrize("name", AT_THE_SALE)
async def test_any_fault_at_the_sale_leaves_one_invoice_and_access(days: Days, name: str) -> None:
    strikes = AT_THE_SALE[name].get("api", {})

    assert days.struck[name] == {fault: strikes["times"] for fault in strikes if fault in days.struck[name]}
    assert bool(days.struck[name]) == ("times" in strikes)
    assert days.after_sale[name] == Overview(
        "active", "on", days.sold, month_after(days.sold), ["0:r0 open 395.00, Unpaid"]
    )


@pytest.mark.parametrize("name", AT_THE_SALE)
async def test_any_fault_at_the_payment_leaves_payers_with_access(days: Days, name: str) -> None:
    assert days.at_cutoff[name] == Overview("active", "on", days.sold, month_after(days.sold), ["0:r0 paid 0.00, Paid"])


@pytest.mark.parametrize("name", AT_THE_SALE)
async def test_any_fault_at_the_renewal_leaves_one_more_invoice(days: Days, name: str) -> None:
    assert days.after_renewal[name] == Overview(
        "active", "on", days.sold, month_after(days.sold, 2),
        ["0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid"],
    )  # fmt: skip


async def test_the_faults_struck_requests_and_callbacks(days: Days, diary: Diary) -> None:
    lost, repeated = [await callbacks(diary, name) for name in ("callbacks lost", "callbacks repeated")]

    assert days.struck_at_cutoff == {"status_503": 2}
    assert sum(days.struck_at_renewal.values()) >= 5
    assert [one["outcome"] for one in lost].count("dropped") >= 2
    assert len({one["callback_id"] for one in repeated}) < len(repeated)


@pytest.mark.usefixtures("days")
async def test_faults_leave_whole_histories_and_one_customer_per_subscriber(diary: Diary) -> None:
    listed = await diary.billogram.get("/customer", params={"page": "1", "page_size": "100"})
    notes = [customer["notes"] for customer in listed.json()["data"]]
    histories = {name: await fact_types(diary, await diary.bill(contract_of(name), 0)) for name in AT_THE_SALE}

    assert sorted(notes) == sorted(f"avtal demo/s-{contract_of(name)}" for name in AT_THE_SALE)
    assert {frozenset(kinds) for kinds in histories.values()} == {
        frozenset({"created", "dispatched", "invoiced", "overdue", "interest_started", "payment", "ended"})
    }


async def test_faults_neither_keep_access_on_nor_hide_a_payment(diary: Diary) -> None:
    """A cutoff waits until Billogram can be read; a sweep finds the payment whose callback was lost."""
    day = diary.today()
    await diary.sell("unpaid", policy=GRACE)
    async with diary.faults({"api": {"down": True}}):
        await diary.forward_into(str(day + OFF_AFTER))
        unverified = await overview(diary, "unpaid")
    await diary.forward("7h")
    off = await overview(diary, "unpaid")
    async with diary.faults({"callbacks": {"drop": 1}}):
        await diary.pay(await diary.bill("unpaid", 0))
    unnoticed = await overview(diary, "unpaid")
    await diary.reconcile()
    swept = await overview(diary, "unpaid")

    assert unverified.access == "on"
    assert (off.access, off.bills) == ("off: past_grace", ["0:r0 open 395.00, Overdue"])
    assert (unnoticed.access, unnoticed.bills) == ("off: past_grace", ["0:r0 open 395.00, Paid"])
    assert (swept.access, swept.bills) == ("on", ["0:r0 paid 0.00, Paid"])


async def test_a_bill_is_withdrawn_once_despite_faults(diary: Diary) -> None:
    """An invoice is credited and a draft deleted, and both responses are lost."""
    sold = diary.today()
    policies = {"back-sent": {"renewal_lead_days": 10}, "back-draft": {"renewal_lead_days": 10, "mode": "draft"}}
    for name, policy in policies.items():
        await diary.sell(name, policy=policy)
    await diary.forward_into(str(month_after(sold) - timedelta(days=10)))
    lost = once("disconnect_after_store", "POST /billogram/{id}/command/credit", "DELETE /billogram/{id}")
    async with diary.faults(lost):
        for name in policies:
            await diary.command(f"/v1/contracts/{name}/cancel", {"at": "period_end"})
        await diary.drain()
        faults_struck = await struck(diary)
    withdrawn = {name: (await overview(diary, name)).bills[1] for name in policies}
    [invoice] = await diary.invoices(await diary.bill("back-sent", 1))

    assert faults_struck == {"disconnect_after_store": 2}
    assert withdrawn == {"back-sent": "1:r0 void 0.00, Credited", "back-draft": "1:r0 void 395.00, none"}
    assert [event["type"] for event in invoice["events"]].count("Credit") == 1


async def test_a_sent_draft_is_open_despite_a_failed_read(diary: Diary) -> None:
    await diary.sell("by-staff", policy=GRACE | {"mode": "draft"})
    draft = await diary.bill("by-staff", 0)
    async with diary.faults(once("json_error", "GET /billogram/{id}")):
        await diary.staff("POST", f"/billogram/{draft['billogram_id']}/command/send", {"method": "Email"})
        await diary.wait_until(lambda: diary.has_status("by-staff", 0, "open"))
        faults_struck = await struck(diary)
    sent = await diary.bill("by-staff", 0)

    assert faults_struck == {"json_error": 1}
    assert sent["due_date"] == str(diary.today() + timedelta(days=GRACE["payment_days"]))


async def sell_amid(diary: Diary, name: str, faults: Json) -> Json:
    """Sells under these faults, waits until the bill is created, and returns the faults that struck."""
    contract = contract_of(name)
    assert (await diary.sandbox.put("/sandbox/faults", json=faults)).status_code == 200
    sold = await diary.api.post("/v1/contracts", json=sale(contract, policy=GRACE))
    assert sold.status_code == 201, sold.text

    async def is_over() -> bool:
        return bool(await struck(diary)) if name in SLOW else await diary.is_created(contract, 0)

    await diary.wait_until(is_over)
    faults_struck = await struck(diary)
    assert (await diary.sandbox.put("/sandbox/faults", json={})).status_code == 200
    return faults_struck


async def pay(diary: Diary, bill: Json) -> None:
    """Pays without waiting for the callbacks."""
    paid = await diary.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json={})
    assert paid.status_code == 200, paid.text


async def struck(diary: Diary) -> Json:
    return dict((await diary.sandbox.get("/sandbox/stats")).json()["struck"])


async def callbacks(diary: Diary, name: str) -> list[Json]:
    """The callbacks of the contract's first invoice, up to its end."""
    bill = await diary.bill(contract_of(name), 0)
    response = await diary.sandbox.get("/sandbox/callbacks", params={"billogram_id": bill["billogram_id"]})
    return list(response.json()["callbacks"])


async def all_created(diary: Diary) -> bool:
    return {await diary.is_created(contract_of(name), 0) for name in AT_THE_SALE} == {True}


async def overviews(diary: Diary) -> dict[str, Overview]:
    found: dict[str, Overview] = {}

    async def add(name: str) -> None:
        found[name] = await overview(diary, contract_of(name))

    await in_parallel(add(name) for name in AT_THE_SALE)
    return found


def contract_of(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")
