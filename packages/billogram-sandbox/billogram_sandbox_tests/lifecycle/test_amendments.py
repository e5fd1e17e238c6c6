"""Changes of a sent billogram: further invoices and sums."""

from decimal import Decimal

import pytest

from billogram_sandbox_tests.client import Client, Json, data, problem, row, types


async def changed(client: Client, billogram: Json, **fields: object) -> Json:
    return data(await client.api("PUT", f"/billogram/{billogram['id']}", fields))


def remaining(billogram: Json) -> Decimal:
    sums = billogram["detailed_sums"]
    return Decimal(billogram["total_sum"] + sums["paid_sum"] + sums["credited_sum"] + sums["reminder_fee"])


async def test_higher_cost_creates_a_debit_invoice_over_the_difference(client: Client) -> None:
    sent = await client.sent(items=[row(price=100, vat=25)])
    more = await changed(client, sent, items=[row(price=100, vat=25), row(price=50, vat=6)])
    event = more["events"][-1]["data"]

    assert types(more)[2:] == ["DataChange", "InvoiceSent"]
    assert (event["amount"], event["total_sum"], event["remaining_sum"]) == (53, 178, 178)
    assert (event["invoice_no"], more["invoice_no"]) == (2, 1)
    assert (more["total_sum"], more["remaining_sum"]) == (178, 178)
    assert (more["detailed_sums"]["net_sum"], more["detailed_sums"]["vat_sum"]) == (150, 28)


async def test_lower_cost_creates_a_credit_invoice_over_the_difference(client: Client) -> None:
    sent = await client.sent(items=[row(price=100, vat=25)])
    less = await changed(client, sent, items=[row(price=60, vat=25)])
    event = less["events"][-1]["data"]

    assert types(less)[2:] == ["DataChange", "Credit"]
    assert (event["amount"], event["invoice_no"], event["remaining_sum"]) == (50, 2, 75)
    assert (less["total_sum"], less["detailed_sums"]["credited_sum"], less["remaining_sum"]) == (125, -50, 75)
    assert (less["items"][0]["price"], less["state"]) == (60, "Unpaid")


async def test_sums_add_up_through_changes_payments_and_credits(client: Client) -> None:
    billogram = await client.sent(items=[row(price=100, vat=25)], due_days=1)
    await client.command(billogram["id"], "payment", {"amount": 20})
    await changed(client, billogram, items=[row(price=80, vat=25)])
    await client.command(billogram["id"], "credit", {"mode": "amount", "amount": 10})
    await changed(client, billogram, items=[row(price=200, vat=25)])
    await client.advance("2d")
    await client.command(billogram["id"], "remind")
    late = await changed(client, billogram, items=[row(price=40, vat=25)])

    assert late["remaining_sum"] == remaining(late) == 50 - 20 - 10 + 60
    assert late["detailed_sums"]["gross_sum"] + late["rounding_value"] == late["total_sum"] == 125 + 150
    assert late["state"] == "Reminder_1"


async def test_change_that_settles_a_billogram_ends_it(client: Client) -> None:
    billogram = await client.sent(items=[row(price=100, vat=25)])
    await client.command(billogram["id"], "payment", {"amount": 25})
    ended = await changed(client, billogram, items=[row(price=20, vat=25)])

    assert (ended["state"], ended["remaining_sum"]) == ("Credited", 0)
    assert types(ended)[3:] == ["DataChange", "Credit", "BillogramEnded"]


async def test_remaining_fees_are_written_off_after_a_change(client: Client) -> None:
    await client.control("PUT", "/account", {"automatic_writeoff": {"settings": "all_fees"}})
    billogram = await client.sent(items=[row(price=100, vat=25)], due_days=1)
    await client.command(billogram["id"], "payment", {"amount": 25})
    await client.advance("2d")
    await client.command(billogram["id"], "remind")
    ended = await changed(client, billogram, items=[row(price=20, vat=25)])

    assert (ended["state"], ended["remaining_sum"]) == ("Paid", 0)
    assert types(ended)[-4:] == ["DataChange", "Credit", "Writeoff", "BillogramEnded"]


async def test_credit_invoices_cannot_exceed_the_invoices(client: Client) -> None:
    billogram = await client.sent(items=[row(price=100, vat=25)])
    await client.command(billogram["id"], "credit", {"mode": "amount", "amount": 100})
    before = await client.get(billogram["id"])
    refused = await client.api("PUT", f"/billogram/{billogram['id']}", {"items": [row(price=10, vat=25)]})

    assert problem(refused) == (400, "INVALID_PARAMETER", "items", None)
    assert await client.get(billogram["id"]) == before


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"info": {"message": "Hej"}}, ["DataChange", "NewInvoicePDF"]),
        ({"customer": {"name": "Kalle Provperson"}}, ["DataChange", "NewInvoicePDF"]),
        ({"items": [row() | {"title": "Annan"}]}, ["DataChange", "NewInvoicePDF"]),
        ({"reminder_fee": 45, "interest_rate": 2, "callbacks": {"custom": "x"}}, ["DataChange"]),
        ({"automatic_reminders_settings": [{"delay_days": 3}]}, ["DataChange"]),
    ],
)
async def test_unchanged_cost_creates_no_invoice(client: Client, fields: Json, expected: list[str]) -> None:
    sent = await client.sent()
    after = await changed(client, sent, **fields)

    assert types(after)[2:] == expected
    assert (after["total_sum"], after["remaining_sum"], after["detailed_sums"]) == (149, 149, sent["detailed_sums"])


async def test_sent_billogram_accepts_its_own_response(client: Client) -> None:
    sent = await client.sent(callbacks={"custom": "8841"})
    shown = (await client.api("GET", f"/billogram/{sent['id']}")).json()["data"]
    same = data(await client.api("PUT", f"/billogram/{sent['id']}", shown))

    assert same | {"events": [], "updated_at": ""} == sent | {"events": [], "updated_at": ""}
    assert types(same)[2:] == ["DataChange"]


@pytest.mark.parametrize(
    "fields",
    [
        {"invoice_date": "2026-01-01"},
        {"due_date": "2099-01-01"},
        {"due_days": 99},
        {"invoice_fee": 29},
        {"currency": "EUR"},
        {"creditor_unique_value": "other"},
        {"invoice_no": 99},
        {"delivery_method": "EDI"},
    ],
)
async def test_invoice_terms_are_read_only_after_sending(client: Client, fields: Json) -> None:
    sent = await client.sent()
    refused = await client.api("PUT", f"/billogram/{sent['id']}", fields)

    assert problem(refused) == (400, "READ_ONLY_PARAMETER", next(iter(fields)), None)


async def test_ended_or_collected_billogram_cannot_be_changed(client: Client) -> None:
    paid, late = await client.sent(), await client.sent(due_days=1)
    await client.pay(paid["id"])
    await client.advance("3d")
    await client.command(late["id"], "collect")
    answers = [await client.api("PUT", f"/billogram/{each['id']}", {"info": {}}) for each in (paid, late)]

    assert [problem(answer)[:2] for answer in answers] == [(400, "INVALID_OBJECT_STATE")] * 2


async def test_reminders_follow_new_settings_and_null_means_the_accounts(client: Client) -> None:
    await client.control("PUT", "/account", {"automatic_reminders": [{"delay_days": 1}]})
    none, usual = [await client.sent(due_days=1, automatic_reminders=False) for _ in range(2)]
    restored = await changed(client, usual, automatic_reminders_settings=None)
    await changed(client, none, automatic_reminders_settings=[])
    await client.advance("30d")

    assert restored["automatic_reminders"] is True
    assert [(await client.get(each["id"]))["reminder_count"] for each in (none, usual)] == [0, 1]


async def test_change_and_its_command_are_atomic(client: Client) -> None:
    customer = await client.customer(contact={})
    draft = await client.draft(customer={"customer_no": customer["customer_no"]})
    path, items = f"/billogram/{draft['id']}", [row(price=10)]
    refused = await client.api("PUT", path, {"items": items, "on_success": {"command": "send", "method": "Email"}})
    unchanged = await client.get(draft["id"])
    sent = await changed(client, draft, items=items, on_success={"command": "send", "method": "Letter"})
    again = await client.api("PUT", path, {"on_success": {"command": "sell"}})

    assert problem(refused) == (400, "INVALID_PARAMETER", "method", ["on_success"])
    assert (unchanged["total_sum"], unchanged["state"]) == (149, "Unattested")
    assert (sent["total_sum"], sent["state"]) == (11, "Unpaid")
    assert problem(again)[:2] == (400, "INVALID_OBJECT_STATE")


async def test_customer_number_refreshes_the_copy(client: Client) -> None:
    draft = await client.draft(customer={"customer_no": (await client.customer())["customer_no"], "name": "Egen"})
    other = await client.customer(name="Kalle Provperson")
    unchanged = await changed(client, draft, customer={"address": {"city": "Lund"}})
    refreshed = await changed(client, draft, customer={"customer_no": other["customer_no"]})

    assert (unchanged["customer"]["name"], unchanged["customer"]["address"]["city"]) == ("Egen", "LUND")
    assert unchanged["customer"]["address"]["street_address"] == "Storgatan 1"
    assert (refreshed["customer"]["name"], refreshed["customer"]["address"]["city"]) == ("Kalle Provperson", "JÄRFÄLLA")
