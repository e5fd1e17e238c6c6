"""What the pages show, to whom, and with how many queries."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import PARKED_TEXTS, FactType, Parked, ParkedReason
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.store.billing.bills import park_bill
from avtal.store.engine.database import Database
from avtal.store.tables import ContractRow
from tests.portal.conftest import OTHER
from tests.portal.pages import bill, fact, sell, sent_bill, text_of
from tests.store.builders import ACCOUNT, NOW

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"""


def linked_ids(page: httpx.Response, within: str) -> list[str]:
    return re.findall(rf'href="/portal/{within}/([^"?]+)"', page.text)


@contextmanager
def recorded_queries(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", record)


async def test_list_shows_each_contract_with_subscriber_and_state(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1")
        park_bill(session, bill(session, "c-1"), Parked(reason=ParkedReason.REFUSED), "")
    shown = text_of(await anna.get("/portal/"))

    assert "c-1 Anna Lundberg s-c-1 Active Access on 1 parked 21 Dec 2026" in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b", "c"]),
        ("find=b", ["b"]),
        ("find=+b+", ["b"]),
        ("find=s-c", ["c"]),
        ("find=nobody", []),
        ("find=%00%27", []),
        ("status=ended", ["b"]),
        ("access=off", ["b"]),
        ("status=active&access=on", ["a", "c"]),
        ("status=nonsense&access=%00", ["a", "b", "c"]),
        ("parked=yes", ["c"]),
        ("parked=yes&status=ended", []),
    ],
)
async def test_list_is_searched_and_filtered(
    anna: httpx.AsyncClient, database: Database, query: str, expected: list[str]
) -> None:
    with database.write() as session:
        for name in ("a", "b", "c"):
            sell(session, name)
        park_bill(session, bill(session, "c"), Parked(reason=ParkedReason.REFUSED), "")
        row = session.get_one(ContractRow, (ACCOUNT, "b"))
        row.status, row.access, row.reason = ContractStatus.ENDED, Access.OFF, AccessReason.ENDED

    assert linked_ids(await anna.get(f"/portal/?{query}"), "contracts") == expected


async def test_list_pages_hold_fifty_contracts_and_keep_filters(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        for number in range(101):
            sell(session, f"c-{number:03}")
    first = await anna.get("/portal/?status=active")
    second = await anna.get(f"/portal/?{next_query(first)}")
    third = await anna.get(f"/portal/?{next_query(second)}")

    pages = [linked_ids(page, "contracts") for page in (first, second, third)]
    assert [len(page) for page in pages] == [50, 50, 1]
    assert [contract_id for page in pages for contract_id in page] == [f"c-{number:03}" for number in range(101)]
    assert "status=active" in next_query(second)
    assert next_query(third) == ""
    assert 'href="/portal/?status=active"' in third.text


def next_query(page: httpx.Response) -> str:
    found = re.search(r'href="[^"?]*\?([^"]+)" rel="next"', page.text)
    return found[1].replace("&amp;", "&") if found else ""


async def test_contract_shows_its_terms_and_explains_its_access(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1", interval={"unit": "month", "count": 3}, fixed_periods=2)
    shown = text_of(await anna.get("/portal/contracts/c-1"))

    for text in (
        "every 3 months, 2 periods",
        "1 × Global Medium 1,234.50 SEK VAT 25 %",
        "Prices include VAT.",
        "Access is on: the contract runs for 2 periods, until 2027-05-21.",
        "Current period 21 Nov 2026 – 20 Feb 2027",
        "Next renewal 21 Feb 2027",
        "Next change 21 May 2027, 00:00 : Access off (the last period is over)",
    ):
        assert text in shown


async def test_bills_are_listed_newest_first_with_their_totals(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1")
        sent_bill(session, "c-1", fact(FactType.PAYMENT, 1_235_00))
        bill(session, "c-1", 1)
    page = await anna.get("/portal/contracts/c-1")

    assert linked_ids(page, "bills") == ["c-1:1:r0", "c-1:0:r0"]
    assert "21 Nov 2026 – 20 Dec 2026 Paid – 1,235.00 SEK 0.00 SEK" in text_of(page)


async def test_long_list_of_bills_continues_on_the_next_page(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1")
        for period in range(53):
            bill(session, "c-1", period)
    first = await anna.get("/portal/contracts/c-1")
    second = await anna.get(f"/portal/contracts/c-1?{next_query(first)}")

    assert linked_ids(first, "bills") == [f"c-1:{period}:r0" for period in range(52, 2, -1)]
    assert linked_ids(second, "bills") == ["c-1:2:r0", "c-1:1:r0", "c-1:0:r0"]


@pytest.mark.parametrize("reason", ParkedReason)
async def test_parked_bill_says_why_and_what_to_do(
    anna: httpx.AsyncClient, database: Database, reason: ParkedReason
) -> None:
    with database.write() as session:
        sell(session, "c-1")
        park_bill(session, bill(session, "c-1"), Parked(reason=reason, field="zipcode"), "no such place")
    for path in ("contracts/c-1", "bills/c-1:0:r0"):
        shown = text_of(await anna.get(f"/portal/{path}"))

        assert PARKED_TEXTS[reason][1:] in shown
        assert "Billogram says: zipcode: no such place" in shown
        assert "avtal retry c-1:0:r0" in shown


async def test_bill_shows_its_amounts_and_links_to_its_invoice(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1")
        sent_bill(session, "c-1", fact(FactType.PAYMENT, 1_000_00))
    page = await anna.get("/portal/bills/c-1:0:r0")

    for text in ("Remaining 235.00 SEK", "Total 1,235.00 SEK", "Agreed total 1,234.50 SEK", "Paid 1,000.00 SEK"):
        assert text in text_of(page)
    assert "bg-c-1:0:r0" in text_of(page)
    assert 'href="https://billogram.example/r/1234567/x" rel="noopener noreferrer"' in page.text


async def test_only_http_urls_become_links(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1")
        sent_bill(session, "c-1").invoice_url = "javascript:alert(1)"

    page = await anna.get("/portal/bills/c-1:0:r0")

    assert "Bill id c-1:0:r0" in text_of(page)
    assert "javascript:" not in page.text


async def test_history_is_ordered_and_shows_amount_payer_and_source(
    anna: httpx.AsyncClient, database: Database
) -> None:
    paid = {"event": "Payment", "payer_name": "Per Person", "remaining_sum": "835.00", "payment_flags": ["odd"]}
    with database.write() as session:
        sell(session, "c-1")
        sent_bill(
            session,
            "c-1",
            fact(FactType.PAYMENT, 400_00, at=NOW + timedelta(days=200), detail=paid),
            fact(FactType.INVOICED, at=NOW, source="billogram read", total_minor=1_235_00, due_date="2026-12-21"),
            fact(FactType.REMINDED, at=NOW + timedelta(days=40), detail={"reminder_fee": "60.00"}),
        )
    shown = text_of(await anna.get("/portal/bills/c-1:0:r0"))

    expected = [
        "21 Nov 2026, 13:00 Invoice as sent: 1,235.00 SEK, due 21 Dec 2026",
        "31 Dec 2026, 13:00 Reminder sent Reminder fee 60.00 SEK Billogram's callback",
        "9 Jun 2027, 14:00 Payment: 400.00 SEK from Per Person Remaining then 835.00 SEK",
        "payment_flags odd Billogram's callback, Payment",
    ]
    positions = [shown.find(text) for text in expected]
    assert -1 not in positions
    assert positions == sorted(positions)


async def test_unknown_event_is_shown_by_its_name(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        sell(session, "c-1")
        sent_bill(session, "c-1", fact(FactType.OTHER, detail={"event": "Respite"}))
        sent_bill(session, "c-1", fact(FactType.OTHER, detail={"event": "Eclipse"}), period=1)

    assert "Respite: more time to pay" in text_of(await anna.get("/portal/bills/c-1:0:r0"))
    assert "Other event at Billogram (Eclipse)" in text_of(await anna.get("/portal/bills/c-1:1:r0"))


@pytest.mark.parametrize("path", ["contracts/c-1", "bills/c-1:0:r0", "contracts/%00", "bills/x", "nothing"])
async def test_another_accounts_pages_are_404(
    olle: httpx.AsyncClient, anna: httpx.AsyncClient, database: Database, path: str
) -> None:
    with database.write() as session:
        sell(session, "c-1")
        sent_bill(session, "c-1")
        sell(session, "c-2", OTHER)
    refused = await olle.get(f"/portal/{path}")

    assert "Page not found" in text_of(refused, 404)
    assert refused.headers["content-type"].startswith("text/html")
    assert linked_ids(await olle.get("/portal/"), "contracts") == ["c-2"]
    assert linked_ids(await olle.get("/portal/?find=c-1"), "contracts") == []
    assert linked_ids(await anna.get("/portal/"), "contracts") == ["c-1"]


async def test_hostile_text_is_escaped(anna: httpx.AsyncClient, database: Database) -> None:
    subscriber = {"subscriber_id": "s", "name": HOSTILE, "email": "a@b.se"}
    address = {"street": HOSTILE, "zipcode": "1", "city": HOSTILE, "country": "SE"}
    line = {"title": HOSTILE, "quantity": 1, "unit_price": "10.00", "vat_rate": "25"}
    with database.write() as session:
        sell(session, "c-1", subscriber=subscriber | {"address": address}, lines=[line])
        detail = {"event": HOSTILE, "payer_name": HOSTILE, "message": HOSTILE, HOSTILE: HOSTILE}
        sent_bill(session, "c-1", fact(FactType.PAYMENT, 10_00, detail=detail, source=HOSTILE))
        sell(session, "c-2")
        park_bill(session, bill(session, "c-2"), Parked(reason=ParkedReason.REFUSED, field=HOSTILE), HOSTILE)
    pages = [
        await anna.get(f"/portal/{path}")
        for path in ("", "contracts/c-1", "contracts/c-2", "bills/c-1:0:r0", "bills/c-2:0:r0")
    ]
    searched = await anna.get("/portal/", params={"find": HOSTILE, "status": HOSTILE})

    for page in (*pages, searched):
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "{{ 7 * 7 }}" in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


async def test_query_count_does_not_depend_on_row_count(anna: httpx.AsyncClient, database: Database) -> None:
    paths = {"": 4, "contracts/c-00": 7, "bills/c-00:0:r0": 5}
    counts = []
    for contracts, bills in ((1, 1), (40, 30)):
        with database.write() as session:
            for number in range(contracts):
                sell(session, f"c-{number:02}")
            for period in range(bills):
                sent_bill(session, "c-00", fact(FactType.PAYMENT, 100), fact(FactType.OVERDUE), period=period)
        for path in paths:
            with recorded_queries(database) as statements:
                text_of(await anna.get(f"/portal/{path}"))
            counts.append(sum("BEGIN" not in statement for statement in statements))

    assert counts == [*paths.values()] * 2


async def test_times_are_in_the_contracts_time_zone(anna: httpx.AsyncClient, database: Database) -> None:
    at = datetime(2027, 6, 30, 23, 30, tzinfo=UTC)
    with database.write() as session:
        sell(session, "c-1", time_zone="Asia/Tokyo")
        sent_bill(session, "c-1", fact(FactType.OVERDUE, at=at))
    page = await anna.get("/portal/bills/c-1:0:r0")

    assert (
        '<time datetime="2027-06-30T23:30:00Z">1\N{NO-BREAK SPACE}Jul\N{NO-BREAK SPACE}2027, 08:30</time>' in page.text
    )
    assert "Asia/Tokyo" in page.text
