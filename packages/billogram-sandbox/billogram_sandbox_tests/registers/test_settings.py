"""The account: settings, defaults of billograms, pictures, reports."""

import base64

import pytest

from billogram_sandbox_tests.client import Client, Json, base64_of, data, ok, problem, row

PNG, JPEG = base64_of(b"\x89PNG\r\n\x1a\n"), base64_of(b"\xff\xd8\xff\xe0")


async def settings(client: Client, **change: object) -> Json:
    return data(await client.api("PUT", "/settings", change))


async def test_new_account_has_the_recorded_defaults(client: Client) -> None:
    own = data(await client.api("GET", "/settings"))
    accounts, invoices = own["bookkeeping"], own["invoices"]

    assert [accounts[f"income_account_for_vat_{rate}"] for rate in (25, 12, 6, 0)] == ["3001", "3002", "3003", "3004"]
    assert [accounts[f"vat_account_for_vat_{rate}"] for rate in (25, 12, 6)] == ["2610", "2620", "2630"]
    assert accounts["regional_sweden"] == {"rotavdrag_account": "1513"}
    assert [invoices[f"default_{name}"] for name in ("interest_rate", "reminder_fee", "invoice_fee", "message")] == [
        *(8.5, 60, 0),
        None,
    ]
    assert invoices["automatic_reminders"] == []
    assert invoices["automatic_writeoff"] == {"settings": None, "amount": None}
    assert invoices["automatic_collection"] == {"delay_days": None, "amount": None}
    assert own["payment"]["domestic_bank_account"] == {"account_no": "", "clearing_no": ""}


async def test_settings_change_in_part_and_nulls_change_nothing(client: Client) -> None:
    before = data(await client.api("GET", "/settings"))
    payment = {"bankgiro": "5050-1055", "domestic_bank_account": None}
    after = await settings(client, payment=payment, address={"zipcode": "222 22"}, tax=None)
    same = await settings(client, **(await client.api("GET", "/settings")).json()["data"])

    assert after["payment"] == before["payment"] | {"bankgiro": "5050-1055"}
    assert after["address"] == before["address"] | {"zipcode": "22222"}
    assert after["tax"] == before["tax"]
    assert same == after == data(await client.api("GET", "/settings"))


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"contact": {"email": "nobody"}}, (400, "INVALID_PARAMETER", "email", ["contact"])),
        ({"invoices": {"default_reminder_fee": -1}}, (400, "INVALID_PARAMETER", "default_reminder_fee", ["invoices"])),
        ({"bookkeeping": {"banking_account": "bank"}}, (400, "INVALID_PARAMETER", "banking_account", ["bookkeeping"])),
        ({"shoe_size": 41}, (400, "UNKNOWN_PARAMETER", "shoe_size", [])),
    ],
)
async def test_invalid_settings_are_refused_with_the_field(
    client: Client, body: Json, refusal: tuple[object, ...]
) -> None:
    assert problem(await client.api("PUT", "/settings", body)) == refusal


async def test_billogram_takes_the_accounts_defaults(client: Client) -> None:
    fees = {"default_invoice_fee": 20, "default_reminder_fee": 45, "default_interest_rate": 10}
    template = {"pdf": {"template": "slim"}, "show_item_gross_prices": True}
    await settings(client, invoices=fees | template | {"default_message": "Tack!"})
    usual = await client.draft(items=[row(price=100, vat=25)])
    own = await client.draft(invoice_fee=0, reminder_fee=0, interest_rate=0, info={"message": "Egen"})

    assert [usual[key] for key in ("invoice_fee", "reminder_fee", "interest_rate")] == [20, 45, 10]
    assert (usual["invoice_fee_vat"], usual["total_sum"], usual["info"]["message"]) == (25, 150, "Tack!")
    assert (usual["pdf"]["template"], usual["show_item_gross_prices"]) == ("slim", True)
    assert [own[key] for key in ("invoice_fee", "reminder_fee", "interest_rate")] == [0, 0, 0]
    assert own["info"]["message"] == "Egen"


async def test_settings_and_control_plane_share_the_reminders(client: Client) -> None:
    ladder = [{"delay_days": 3, "message": None}]
    await settings(client, invoices={"automatic_reminders": [{"delay_days": 3}]})
    shown = await client.control("PUT", "/account", {"default_reminder_fee": 50})
    invoices = data(await client.api("GET", "/settings"))["invoices"]

    assert (shown["automatic_reminders"], shown["default_reminder_fee"]) == (ladder, 50)
    assert (invoices["automatic_reminders"], invoices["default_reminder_fee"]) == (ladder, 50)
    assert (await client.draft())["automatic_reminders_settings"] == ladder


async def test_row_gets_the_accounts_of_the_settings(client: Client) -> None:
    await settings(client, bookkeeping={"income_account_for_vat_6": "3990"})

    assert (await client.draft())["items"][0]["bookkeeping"]["income_account"] == "3990"


@pytest.mark.parametrize("name", ["logotype", "coverphoto"])
async def test_picture_is_recognized_replaced_and_removed(client: Client, name: str) -> None:
    none = data(await client.api("GET", f"/{name}"))
    posted = data(await client.api("POST", f"/{name}", {"content": PNG, "file_type": "image/png"}))
    put = data(await client.api("PUT", f"/{name}", {"content": JPEG}))
    bad = await client.api("POST", f"/{name}", {"content": "not base64"})
    stored = data(await client.api("GET", f"/{name}"))
    removed = ok(await client.api("DELETE", f"/{name}"))

    assert none == data(await client.api("GET", f"/{name}")) == {"content": None, "file_type": None}
    assert posted == {"content": PNG, "file_type": "image/png"}
    assert put == stored == {"content": JPEG, "file_type": "image/jpeg"}
    assert bad.json() == {"status": "INVALID_PARAMETER", "data": {"message": "invalid content"}}
    assert removed == {"status": "OK", "data": {}}


async def test_finished_month_has_its_reports(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-01-15T12:00:00Z"})
    billogram = await client.sent("EDI")
    early = ok(await client.api("GET", "/report"))
    await client.control("POST", "/clock", {"set": "2030-02-10T12:00:00Z"})
    await client.control("POST", f"/billograms/{billogram['id']}/delivery", {"outcome": "delivered"})
    await client.pay(billogram["id"])
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    query = {"order_field": "filename", "order_direction": "asc"}
    listed = ok(await client.api("GET", "/report", **query))
    journal = data(await client.api("GET", "/report/journal-2030-02.csv"))

    assert early["meta"]["total_count"] == 0
    assert [(each["filename"], each["type"], each["created_at"]) for each in listed["data"]] == [
        ("journal-2030-01.csv", "debtors ledger journal", "2030-01-31 23:00:00"),
        ("journal-2030-02.csv", "debtors ledger journal", "2030-02-28 23:00:00"),
        ("sie-2030-01.se", "sie4", "2030-01-31 23:00:00"),
        ("sie-2030-02.se", "sie4", "2030-02-28 23:00:00"),
    ]
    assert listed["data"][0].keys() == {"filename", "type", "file_type", "info", "created_at"}
    assert base64.b64decode(journal["content"]).decode().splitlines() == [
        "date;billogram;event;amount",
        f"2030-02-10;{billogram['id']};Payment;149",
    ]


async def test_unknown_report_is_not_found(client: Client) -> None:
    unknown = await client.api("GET", "/report/ff")

    assert unknown.json() == {"status": "NOT_FOUND", "data": {"message": "no report with id=ff was found"}}
