"""Billing tabs: items, billing, failures."""

from datetime import date

import httpx
import pytest

from billogram_sandbox.shapes.tab import next_billing
from billogram_sandbox_tests.client import KEY, USER, Client, Json, Receiver, data, ok, problem, row

TAB = "/customer/1/billing-tab"
KEYS = iter(range(10**6))


async def add(client: Client, key: str | None = None, **fields: object) -> Json:
    response = await try_add(client, key or f"key-{next(KEYS)}", {"billogram_item": row(price=100, vat=25) | fields})
    return data(response)


async def try_add(client: Client, key: str | None, body: Json) -> httpx.Response:
    headers = {} if key is None else {"X-API-Deduplication-ID": key}
    return await client.http.post(f"/api/v2{TAB}/items", json=body, headers=headers, auth=(USER, KEY))


async def started(client: Client, **settings: str) -> Json:
    """One customer, on a Friday at noon."""
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    customer = await client.customer()
    if settings:
        await client.api("PUT", f"{TAB}/settings", settings)
    return customer


async def test_items_collect_on_one_tab_with_its_billing_date(client: Client) -> None:
    await started(client, billing_frequency="weekly#monday")
    first, second = await add(client), await add(client, external_id="e-2")
    tab = data(await client.api("GET", TAB))

    assert first["billogram_item"] == row(price=100, vat=25)
    assert first["billing_tab_id"] == second["billing_tab_id"] == tab["billing_tab"]["id"]
    assert tab["customer"] == {"customer_number": "1"}
    assert tab["billing_tab"]["billing_date"] == "2030-03-04"
    assert [each["item_id"] for each in tab["items"]] == [first["item_id"], second["item_id"]]
    assert tab["items"][1]["billogram_item"]["external_id"] == "e-2"
    assert data(await client.api("GET", f"{TAB}/item/{first['item_id']}")) == first


async def test_tab_becomes_a_billogram_on_its_billing_date(client: Client) -> None:
    await started(client, billing_frequency="daily", delivery_method="Letter")
    first = await add(client)
    await add(client, title="Bok", price=50, vat=6)
    due = (await client.control("GET", "/clock"))["next_due"]
    await client.advance("1d")
    listed = ok(await client.api("GET", "/billogram"))["data"]
    billed = await client.get(listed[0]["id"])
    closed = data(await client.api("GET", f"{TAB}/{first['billing_tab_id']}"))
    none = await client.api("GET", TAB)
    other = await add(client)

    assert due == "2030-03-01T23:00:00.000000Z"
    assert len(listed) == 1
    assert (billed["state"], billed["delivery_method"], billed["total_sum"]) == ("Unpaid", "Letter", 178)
    assert (billed["invoice_date"], billed["created_at"]) == ("2030-03-02", "2030-03-01 23:00:00")
    assert [each["title"] for each in billed["items"]] == ["Tidning helår", "Bok"]
    assert len(closed["items"]) == 2
    assert none.status_code == 404
    assert other["billing_tab_id"] != first["billing_tab_id"]


async def test_repeated_deduplication_id_adds_one_item(client: Client) -> None:
    await started(client)
    first, again = await add(client, key="k"), await add(client, key="k")
    await client.customer()
    elsewhere = await client.http.post(
        "/api/v2/customer/2/billing-tab/items",
        json={"billogram_item": row()},
        headers={"X-API-Deduplication-ID": "k"},
        auth=(USER, KEY),
    )

    assert again == first
    assert len(data(await client.api("GET", TAB))["items"]) == 1
    assert data(elsewhere)["item_id"] != first["item_id"]


@pytest.mark.parametrize(
    ("key", "body", "refusal"),
    [
        (None, {"billogram_item": row()}, (400, "INVALID_PARAMETER", "X-API-Deduplication-ID", None)),
        ("x" * 37, {"billogram_item": row()}, (400, "INVALID_PARAMETER", "X-API-Deduplication-ID", None)),
        ("k", {}, (400, "INVALID_PARAMETER", "billogram_item", None)),
        ("k", {"billogram_item": {"title": "A"}}, (400, "INVALID_PARAMETER", "count", ["billogram_item"])),
        ("k", {"billogram_item": row(), "colour": "red"}, (400, "UNKNOWN_PARAMETER", "colour", [])),
    ],
)
async def test_invalid_item_is_refused(
    client: Client, key: str | None, body: Json, refusal: tuple[object, ...]
) -> None:
    await started(client)
    refused = await try_add(client, key, body)

    assert problem(refused) == refusal
    assert (await client.api("GET", TAB)).status_code == 404


async def test_tab_item_is_filled_from_the_register(client: Client) -> None:
    await started(client)
    await client.api("POST", "/item", {"title": "Tidning", "price": 10, "vat": 6, "unit": "day"})
    item = data(await try_add(client, "k", {"billogram_item": {"item_no": "1", "count": 3}}))

    assert (item["billogram_item"]["title"], item["billogram_item"]["unit"]) == ("Tidning", "day")


async def test_removed_item_is_not_billed_and_empty_tab_is_deleted(client: Client) -> None:
    await started(client, billing_frequency="daily")
    item = await add(client)
    ok(await client.api("DELETE", f"{TAB}/item/{item['item_id']}"))
    await client.advance("3d")
    later = await add(client)
    tab = data(await client.api("GET", TAB))
    deleted = ok(await client.api("DELETE", f"{TAB}/{tab['billing_tab']['id']}"))
    await client.advance("3d")

    assert (await client.api("GET", f"{TAB}/item/{item['item_id']}")).status_code == 404
    assert later["billing_tab_id"] != item["billing_tab_id"]
    assert tab["billing_tab"]["billing_date"] == "2030-03-05"
    assert deleted["data"] == {}
    assert ok(await client.api("GET", "/billogram"))["data"] == []


async def test_billed_tab_is_read_only(client: Client) -> None:
    await started(client, billing_frequency="daily")
    item = await add(client)
    await client.advance("1d")
    answers = [
        await client.api("DELETE", f"{TAB}/item/{item['item_id']}"),
        await client.api("DELETE", f"{TAB}/{item['billing_tab_id']}"),
    ]

    assert [problem(answer)[:2] for answer in answers] == [(400, "INVALID_OBJECT_STATE")] * 2


async def test_failed_billing_sends_a_callback_and_is_retried(live: Client, receiver: Receiver) -> None:
    await live.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    await live.customer(address={})
    await live.api("PUT", f"{TAB}/settings", {"billing_frequency": "daily", "delivery_method": "Letter"})
    item = await add(live)
    await live.advance("1d")
    callback = (await receiver.holds(1))[0].body
    await live.api("PUT", "/customer/1", {"address": {"street_address": "A 1", "zipcode": "11122", "city": "Lund"}})
    await live.advance("1d")

    assert callback["callback_type"] == "BillingTab"
    assert callback["billing_tab"] == {"customer_number": "1", "id": item["billing_tab_id"]}
    assert callback["event"]["type"] == "BillogramCreationError"
    assert callback["event"]["response"]["status"] == "INVALID_PARAMETER"
    assert callback["event"]["response"]["data"]["message"] == "invalid delivery method, address missing"
    assert [each["created_at"] for each in ok(await live.api("GET", "/billogram"))["data"]] == ["2030-03-02 23:00:00"]


async def test_tab_that_failed_too_often_waits_for_another_item(client: Client) -> None:
    await started(client, billing_frequency="daily", delivery_method="SMS")
    await add(client)
    await client.advance("1y")
    given_up = (await client.control("GET", "/clock"))["next_due"]
    await client.api("PUT", "/customer/1", {"contact": {"phone": "0700000000"}})
    await add(client)
    await client.advance("1d")

    assert given_up is None
    assert [each["total_sum"] for each in ok(await client.api("GET", "/billogram"))["data"]] == [250]


async def test_new_tab_settings_reschedule_an_open_tab(client: Client) -> None:
    await started(client)
    usual = data(await client.api("GET", f"{TAB}/settings"))
    await add(client)
    before = data(await client.api("GET", TAB))["billing_tab"]["billing_date"]
    given = data(await client.api("POST", f"{TAB}/settings", {"billing_frequency": "monthly#20"}))
    moved = data(await client.api("GET", TAB))["billing_tab"]["billing_date"]
    both = data(await client.api("PUT", f"{TAB}/settings", {"delivery_method": "SMS"}))
    null = data(await client.api("PUT", f"{TAB}/settings", {"billing_frequency": None}))
    ok(await client.api("DELETE", f"{TAB}/settings"))

    assert usual == data(await client.api("GET", f"{TAB}/settings"))
    assert usual == {"billing_frequency": None, "delivery_method": None}
    assert given == {"billing_frequency": "monthly#20", "delivery_method": None}
    assert (before, moved) == ("2030-04-01", "2030-03-20")
    assert both == {"billing_frequency": "monthly#20", "delivery_method": "SMS"}
    assert null == {"billing_frequency": None, "delivery_method": "SMS"}


@pytest.mark.parametrize(
    ("verb", "path", "body", "refusal"),
    [
        ("PUT", "/1/billing-tab/settings", {}, (400, "INVALID_PARAMETER", "billing_frequency", None)),
        (
            *("PUT", "/1/billing-tab/settings", {"billing_frequency": "weekly#8"}),
            (400, "INVALID_PARAMETER", "billing_frequency", None),
        ),
        (
            *("PUT", "/1/billing-tab/settings", {"delivery_method": "Efaktura"}),
            (400, "INVALID_PARAMETER", "delivery_method", None),
        ),
        ("GET", "/1/billing-tab/no-uuid", None, (400, "INVALID_PARAMETER", "billing_tab_id", None)),
        ("GET", "/1/billing-tab/item/no-uuid", None, (400, "INVALID_PARAMETER", "billing_tab_item_id", None)),
        ("GET", "/lisa/billing-tab", None, (400, "INVALID_PARAMETER", "customer_no", None)),
        ("GET", "/9/billing-tab", None, (404, "NOT_FOUND", None, None)),
        ("GET", "/1/billing-tab/3b668ece-3941-4555-aaf8-c7a0f9b3aace", None, (404, "NOT_FOUND", None, None)),
    ],
)
async def test_invalid_tab_address_or_setting_is_refused(
    client: Client, verb: str, path: str, body: Json | None, refusal: tuple[object, ...]
) -> None:
    await started(client)

    assert problem(await client.api(verb, f"/customer{path}", body)) == refusal


@pytest.mark.parametrize(
    ("frequency", "today", "day"),
    [
        ("daily", "2030-02-28", "2030-03-01"),
        ("weekly#5", "2030-03-01", "2030-03-08"),
        ("weekly#Saturday", "2030-03-01", "2030-03-02"),
        ("weekly#1", "2030-03-01", "2030-03-04"),
        ("monthly#1", "2030-03-01", "2030-04-01"),
        ("monthly#15", "2030-03-01", "2030-03-15"),
        ("monthly#31", "2030-01-31", "2030-02-28"),
        ("monthly#31", "2030-02-28", "2030-03-31"),
        ("monthly#30", "2030-12-31", "2031-01-30"),
    ],
)
def test_billing_date_is_after_today_and_within_the_month(frequency: str, today: str, day: str) -> None:
    assert str(next_billing(frequency, date.fromisoformat(today))) == day
