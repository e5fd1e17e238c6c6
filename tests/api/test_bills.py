"""Bills over HTTP, from rows that the store itself has written."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from avtal.contracts.bills.bill import PARKED_TEXTS, Fact, FactType, Parked, ParkedReason
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.contracts.periods import Interval, IntervalUnit, period
from avtal.store.billing.bills import park_bill
from avtal.store.billing.facts import append_facts
from avtal.store.engine.database import Database
from avtal.store.tables import BillRow
from tests.api.caller import ACCOUNT, Caller, body_of, pointers, problem, sale
from tests.api.conftest import NOW
from tests.store.builders import finish_bill, start_bill

PERIOD = period(date(2026, 11, 21), Interval(unit=IntervalUnit.MONTH), 0)
BILL = "c-1:0:r0"
SENT_AT = datetime(2026, 11, 21, 12, 31, tzinfo=UTC)


def fact(kind: FactType, at: datetime = SENT_AT, **fields: object) -> Fact:
    return Fact.model_validate({"type": kind, "at": at, "source": "billogram read", "digest": str(kind)} | fields)


def sent_invoice() -> RemoteInvoice:
    """As Billogram has it after an automatic bill: 495.00, with VAT at two rates."""
    return RemoteInvoice(
        billogram_id="abc123",
        key=BILL,
        customer_no=1,
        currency="SEK",
        rows=(),
        is_draft=False,
        total_minor=49500,
        paid_minor=0,
        remaining_minor=0,
        fee_minor=0,
        vat_minor=8466,
        rounding_minor=0,
        due_date=date(2026, 12, 21),
        invoice_no=7,
        ocr_number="74",
        url="https://billogram.invalid/abc123",
        facts=(
            fact(FactType.DISPATCHED),
            fact(FactType.INVOICED, total_minor=49500, due_date="2026-12-21"),
        ),
    )


def make_bill(database: Database) -> None:
    with database.write() as session:
        finish_bill(session, start_bill(session, ACCOUNT, "c-1", PERIOD, 0, NOW), sent_invoice(), 1)


def park(database: Database) -> None:
    with database.write() as session:
        bill = start_bill(session, ACCOUNT, "c-1", PERIOD, 0, NOW)
        park_bill(session, bill, Parked(reason=ParkedReason.REFUSED, field="address.zipcode"), "not a zip code")


async def test_bill_shows_all_its_fields_and_its_history(caller: Caller, database: Database) -> None:
    await caller.sell()
    make_bill(database)
    bill = await caller.get(f"/bills/{BILL}")
    history = bill.pop("history")

    assert bill == {
        "bill_id": BILL,
        "contract_id": "c-1",
        "period": {"number": 0, "start": "2026-11-21", "end": "2026-12-21"},
        "status": "open",
        "status_text": "open",
        "delivery_method": "Email",
        "billogram_id": "abc123",
        "invoice_no": 7,
        "ocr_number": "74",
        "invoice_url": "https://billogram.invalid/abc123",
        "agreed_total": "495.00",
        "total": "495.00",
        "vat": "84.66",
        "rounding": "0.00",
        "remaining": "495.00",
        "currency": "SEK",
        "due_date": "2026-12-21",
        "grace_ends": None,
        "policy_version": 1,
        "parked": None,
    }
    assert [(entry["at"], entry["type"], entry["source"]) for entry in history] == [
        ("2026-11-21T12:31:00Z", "dispatched", "billogram read"),
        ("2026-11-21T12:31:00Z", "invoiced", "billogram read"),
    ]
    assert history[1]["detail"] == {"total": "495.00", "due_date": "2026-12-21"}
    assert await caller.get("/contracts/c-1/bills") == {"items": [bill], "next_cursor": None}


async def test_payment_in_the_history_shows_its_amount_as_text(caller: Caller, database: Database) -> None:
    await caller.sell()
    make_bill(database)
    paid = fact(FactType.PAYMENT, amount_minor=49500, detail={"amount": 495.0, "payer_name": "Anna"})
    with database.write() as session:
        append_facts(session, session.get_one(BillRow, (ACCOUNT, BILL)), [paid])
    bill = await caller.get(f"/bills/{BILL}")

    assert (bill["status"], bill["remaining"]) == ("paid", "0.00")
    assert bill["history"][-1]["detail"] == {"amount": "495.00", "payer_name": "Anna"}
    assert (await caller.get("/contracts/c-1"))["open_bills"] == []


async def test_parked_bill_shows_our_text_and_billograms_message(caller: Caller, database: Database) -> None:
    await caller.sell()
    park(database)
    bill = await caller.get(f"/bills/{BILL}")
    contract = await caller.get("/contracts/c-1")

    assert bill["parked"]["reason"] == "refused"
    assert bill["parked"]["detail"] == (
        f"{PARKED_TEXTS[ParkedReason.REFUSED]} (Billogram: address.zipcode: not a zip code)"
    )
    assert contract["parked"] == [bill["parked"]]
    assert contract["open_bills"] == [BILL]


async def test_bill_in_creation_shows_the_last_failed_request(caller: Caller, database: Database) -> None:
    await caller.sell()
    with database.write() as session:
        start_bill(session, ACCOUNT, "c-1", PERIOD, 0, NOW).provider_message = "HTTP 503"
    bill = await caller.get(f"/bills/{BILL}")

    assert bill["status"] == "creating"
    assert bill["status_text"] == "being made; the last request to Billogram failed (HTTP 503)"


async def test_bill_with_nothing_to_pay_is_paid(caller: Caller, database: Database) -> None:
    free = {"title": "Gift", "quantity": 1, "unit_price": "0.00", "vat_rate": "25"}
    await caller.sell(lines=[free])
    with database.write() as session:
        start_bill(session, ACCOUNT, "c-1", PERIOD, 0, NOW)
    bill = await caller.get(f"/bills/{BILL}")

    assert (bill["status"], bill["status_text"]) == ("paid", "paid (nothing to pay)")


async def test_cursor_pages_through_every_bill(caller: Caller, database: Database) -> None:
    await caller.sell()
    with database.write() as session:
        for number in range(11):
            month = period(date(2026, 11, 21), Interval(unit=IntervalUnit.MONTH), number)
            start_bill(session, ACCOUNT, "c-1", month, 0, NOW)
    first = await caller.get("/contracts/c-1/bills", limit=10)
    rest = await caller.get("/contracts/c-1/bills", limit=10, cursor=first["next_cursor"])

    assert [item["period"]["number"] for item in first["items"] + rest["items"]] == list(range(11))
    assert rest["next_cursor"] is None


async def test_refund_is_refused_and_says_what_to_do_instead(caller: Caller, database: Database) -> None:
    await caller.sell()
    make_bill(database)
    refusal = problem(await caller.request("POST", f"/bills/{BILL}/refund"), 409)

    assert refusal["type"].endswith("refund-not-possible")
    assert "credit the invoice in Billogram" in refusal["detail"]
    problem(await caller.request("POST", "/bills/c-1:9:r0/refund"), 404)


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": None}])
async def test_waiver_needs_a_reason(caller: Caller, body: dict[str, object]) -> None:
    assert pointers(await caller.request("POST", f"/bills/{BILL}/waive", body)) == ["/reason"]


async def test_retry_and_waive_change_nothing_while_temporal_is_unavailable(caller: Caller, database: Database) -> None:
    await caller.sell()
    park(database)
    before = await caller.get(f"/bills/{BILL}")

    problem(await caller.request("POST", f"/bills/{BILL}/retry"), 503)
    problem(await caller.request("POST", f"/bills/{BILL}/waive", {"reason": "a gift"}), 503)
    assert await caller.get(f"/bills/{BILL}") == before


async def test_another_accounts_bill_is_404(caller: Caller, other: Caller, database: Database) -> None:
    await caller.sell()
    make_bill(database)

    problem(await other.request("GET", f"/bills/{BILL}"), 404)
    for command in ("retry", "refund"):
        problem(await other.request("POST", f"/bills/{BILL}/{command}"), 404)


async def test_total_is_the_agreed_total_rounded_to_the_krona(caller: Caller, database: Database) -> None:
    lines = [{"title": "Daily", "quantity": 3, "unit_price": "33.33", "vat_rate": "25"}]
    body_of(await caller.request("POST", "/contracts", sale(lines=lines)), 201)
    with database.write() as session:
        start_bill(session, ACCOUNT, "c-1", PERIOD, 0, NOW)
    bill = await caller.get(f"/bills/{BILL}")

    assert (bill["agreed_total"], bill["total"]) == ("99.99", "100.00")
    assert Decimal(bill["remaining"]) == 100
