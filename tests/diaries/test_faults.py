"""Every fault that the sandbox knows, met by a contract of its own: one invoice per period, the sums right, nothing
lost, and nobody's access wrongly off.

What surprises, and what it would cost: an answer that fails, hangs up, or breaks off may belong to an invoice that the
reader has already got, and one that was given up may be carried out a moment later; to post it again would bill twice.
A callback may come before the answer, twice, out of turn, or never; to trust their order would lose money, and to trust
that they come would take access from who has paid.

All contracts live at once, on one stack. Each is sold on the first day, its reader pays on the thirteenth, access would
go off on the seventeenth, and a month later the next bill is made while Billogram fails at random.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.diaries.life import Json, Life, sale
from tests.diaries.seen import GRACE, OFF_AFTER, Seen, history, month_after, seen
from tests.diaries.test_random_lives import at_once, reconcile

pytestmark = [
    pytest.mark.parametrize("life", ["sqlite"], indirect=True, scope="module"),
    pytest.mark.timeout(300),  # the whole story is told to the first of the tests
]

MAKING = "POST /billogram"
LOOKING = "GET /billogram"
CUSTOMER = "POST /customer"


def once(fault: str, *requests: str, **how: object) -> Json:
    """It strikes the first of these requests; with several of them, so many."""
    return {"api": {fault: 1, "only": [*requests], "times": len(requests), **how}}


AT_THE_SALE = {
    # Nothing is carried out.
    "down": {"api": {"down": True, "times": 4}},
    "503": once("status_503", MAKING),
    "429": once("status_429", MAKING, retry_after=None),
    "500 with HTML": once("html_error", MAKING),
    "500 with JSON": once("json_error", MAKING),
    "200 with HTML": once("html_ok", MAKING),
    "hung up": once("disconnect", MAKING),
    "customer hung up": once("disconnect", CUSTOMER),
    "lookup refused too": once("status_503", MAKING, LOOKING),
    # It is carried out, and the answer gets lost.
    "stored, then 500": once("fail_after_store", MAKING),
    "stored, then hung up": once("disconnect_after_store", MAKING),
    "half an answer": once("truncate", MAKING),
    "customer stored, then 500": once("fail_after_store", CUSTOMER),
    "lookup lost too": once("disconnect_after_store", MAKING, LOOKING),
    # Slow.
    "slow": {"api": {"latency_ms": [200, 400]}},
    # Of callbacks.
    "told never": {"callbacks": {"drop": 1}},
    "told twice": {"callbacks": {"duplicate": 1}},
    "told late": {"callbacks": {"delay_ms": [300, 400]}},
    "told out of turn": {"callbacks": {"reorder": True}, "seed": 1},
    "told before the answer": {"callbacks": {"before_answer": 1}},
    "told before an answer that is lost": once("fail_after_store", MAKING) | {"callbacks": {"before_answer": 1}},
    "told before half an answer": once("truncate", MAKING) | {"callbacks": {"before_answer": 1}},
    # These two wait for as long as our backoff_seconds lasts, and so they wait together, after the others.
    "stored, never answered": once("timeout", MAKING),
    "stored too late": once("late", MAKING),
}
SLOW = ("stored, never answered", "stored too late")
AT_THE_PAYMENT = {name: faults for name, faults in AT_THE_SALE.items() if "callbacks" in faults and "api" not in faults}
AT_THE_CUT_OFF = once("status_503", "GET /billogram/{id}", "GET /billogram/{id}")
"""Whose payment was never told is asked for, and Billogram stumbles twice."""
AT_THE_RENEWAL = {
    "api": dict.fromkeys(("status_503", "html_error", "json_error", "html_ok", "disconnect"), 0.03)
    | dict.fromkeys(("fail_after_store", "disconnect_after_store", "truncate"), 0.06),
    "callbacks": {"duplicate": 0.3, "reorder": True, "drop": 0.2, "before_answer": 0.2},
    "seed": 5,
}
ENOUGH_TO_COME_AGAIN = "2h"


@pytest.fixture(autouse=True)
def ended_after() -> None:
    """Here all tests tell of the same contracts."""


@dataclass
class Days:
    """What was seen of each contract on the days of the story."""

    sold: date
    struck: dict[str, Json]
    after_sale: dict[str, Seen]
    at_cut_off: dict[str, Seen]
    after_renewal: dict[str, Seen]


@pytest.fixture(scope="module")
async def days(life: Life) -> Days:
    days = Days(life.today(), {}, {}, {}, {})
    for name, faults in AT_THE_SALE.items():
        days.struck[name] = await sold_amid(life, name, faults)
    await life.until(lambda: all_made(life))
    await life.quiet()
    days.after_sale = await seen_all(life)

    await life.forward_into(str(days.sold + timedelta(days=12)))
    for name in AT_THE_SALE:
        async with life.faults(AT_THE_PAYMENT.get(name, {})):
            await pay(life, await life.bill(contract_of(name), 0))
    await life.quiet()
    async with life.faults(AT_THE_CUT_OFF):
        await life.forward_into(str(days.sold + OFF_AFTER))
        await life.forward(ENOUGH_TO_COME_AGAIN)
    days.at_cut_off = await seen_all(life)

    async with life.faults(AT_THE_RENEWAL):
        await life.forward_into(str(month_after(days.sold)))
        await life.forward(ENOUGH_TO_COME_AGAIN)
    await life.forward("7h")
    await reconcile(life)
    days.after_renewal = await seen_all(life)
    return days


@pytest.mark.parametrize("name", AT_THE_SALE)
async def test_whatever_befalls_a_sale_there_is_one_invoice_and_access(days: Days, name: str) -> None:
    strikes = AT_THE_SALE[name].get("api", {})

    assert days.struck[name] == {fault: strikes["times"] for fault in strikes if fault in days.struck[name]}
    assert bool(days.struck[name]) == ("times" in strikes)
    assert days.after_sale[name] == Seen(
        "active", "on", days.sold, month_after(days.sold), ["0:r0 open 395.00, Unpaid"]
    )


@pytest.mark.parametrize("name", AT_THE_SALE)
async def test_whatever_befalls_the_news_of_a_payment_nobody_who_paid_is_cut_off(days: Days, name: str) -> None:
    assert days.at_cut_off[name] == Seen("active", "on", days.sold, month_after(days.sold), ["0:r0 paid 0.00, Paid"])


@pytest.mark.parametrize("name", AT_THE_SALE)
async def test_whatever_befalls_a_renewal_there_is_one_more_invoice(days: Days, name: str) -> None:
    assert days.after_renewal[name] == Seen(
        "active", "on", days.sold, month_after(days.sold, 2),
        ["0:r0 paid 0.00, Paid", "1:r0 open 395.00, Unpaid"],
    )  # fmt: skip


@pytest.mark.usefixtures("days")
async def test_in_the_end_every_bill_has_its_whole_history_and_every_reader_one_customer(life: Life) -> None:
    listed = await life.billogram.get("/customer", params={"page": "1", "page_size": "100"})
    notes = [customer["notes"] for customer in listed.json()["data"]]
    told = {name: await history(life, await life.bill(contract_of(name), 0)) for name in AT_THE_SALE}

    assert sorted(notes) == sorted(f"avtal demo/s-{contract_of(name)}" for name in AT_THE_SALE)
    assert {frozenset(kinds) for kinds in told.values()} == {
        frozenset({"created", "dispatched", "invoiced", "overdue", "interest_started", "payment", "ended"})
    }


async def test_who_never_paid_is_cut_off_and_who_pays_then_is_let_in_though_nobody_tells(life: Life) -> None:
    """The other side: no fault keeps access on for ever, and a sweep finds what was lost."""
    day = life.today()
    await life.sell("unpaid", policy=GRACE)
    async with life.faults({"api": {"down": True}}):
        await life.forward_into(str(day + OFF_AFTER))
        asked_in_vain = await seen(life, "unpaid")
    await life.forward("7h")
    off = await seen(life, "unpaid")
    async with life.faults({"callbacks": {"drop": 1}}):
        await life.pay(await life.bill("unpaid", 0))
    untold = await seen(life, "unpaid")
    await reconcile(life)
    swept = await seen(life, "unpaid")

    assert asked_in_vain.access == "on"
    assert (off.access, off.bills) == ("off: past_grace", ["0:r0 open 395.00, Overdue"])
    assert (untold.access, untold.bills) == ("off: past_grace", ["0:r0 open 395.00, Paid"])
    assert (swept.access, swept.bills) == ("on", ["0:r0 paid 0.00, Paid"])


async def test_what_is_taken_back_amid_faults_is_taken_back_once(life: Life) -> None:
    """An invoice is credited and a draft is deleted, and the answers to both get lost."""
    sold = life.today()
    policies = {"back-sent": {"renewal_lead_days": 10}, "back-draft": {"renewal_lead_days": 10, "mode": "draft"}}
    for name, policy in policies.items():
        await life.sell(name, policy=policy)
    await life.forward_into(str(month_after(sold) - timedelta(days=10)))
    lost = once("disconnect_after_store", "POST /billogram/{id}/command/credit", "DELETE /billogram/{id}")
    async with life.faults(lost):
        for name in policies:
            await life.command(f"/v1/contracts/{name}/cancel", {"at": "period_end"})
        await life.quiet()
        befallen = await struck(life)
    back = {name: (await seen(life, name)).bills[1] for name in policies}
    [invoice] = await life.invoices(await life.bill("back-sent", 1))

    assert befallen == {"disconnect_after_store": 2}
    assert back == {"back-sent": "1:r0 void 0.00, Credited", "back-draft": "1:r0 void 395.00, none"}
    assert [event["type"] for event in invoice["events"]].count("Credit") == 1


async def test_a_draft_that_staff_send_is_open_though_billogram_stumbles_when_it_is_read(life: Life) -> None:
    await life.sell("by-staff", policy=GRACE | {"mode": "draft"})
    draft = await life.bill("by-staff", 0)
    async with life.faults(once("json_error", "GET /billogram/{id}")):
        await life.staff("POST", f"/billogram/{draft['billogram_id']}/command/send", {"method": "Email"})
        await life.until(lambda: life.has_status("by-staff", 0, "open"))
        befallen = await struck(life)
    sent = await life.bill("by-staff", 0)

    assert befallen == {"json_error": 1}
    assert sent["due_date"] == str(life.today() + timedelta(days=GRACE["payment_days"]))


async def sold_amid(life: Life, name: str, faults: Json) -> Json:
    """Sold while the fault lasts, and made before the next one meets another fault. Returns what struck."""
    contract = contract_of(name)
    assert (await life.sandbox.put("/sandbox/faults", json=faults)).status_code == 200
    sold = await life.api.post("/v1/contracts", json=sale(contract, policy=GRACE))
    assert sold.status_code == 201, sold.text

    async def is_over() -> bool:
        return bool(await struck(life)) if name in SLOW else await life.is_made(contract, 0)

    await life.until(is_over)
    befallen = await struck(life)
    assert (await life.sandbox.put("/sandbox/faults", json={})).status_code == 200
    return befallen


async def pay(life: Life, bill: Json) -> None:
    """Money arrives, and its callbacks meet their fate."""
    paid = await life.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json={})
    assert paid.status_code == 200, paid.text


async def struck(life: Life) -> Json:
    return dict((await life.sandbox.get("/sandbox/stats")).json()["struck"])


async def all_made(life: Life) -> bool:
    return all([await life.is_made(contract_of(name), 0) for name in AT_THE_SALE])


async def seen_all(life: Life) -> dict[str, Seen]:
    found: dict[str, Seen] = {}

    async def look(name: str) -> None:
        found[name] = await seen(life, contract_of(name))

    await at_once(look(name) for name in AT_THE_SALE)
    return found


def contract_of(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")
