"""Every public method of Billogram's own Python client, unmodified.

Each test declares the methods that it drives and must enter them, so a missing one is noticed.
"""

from pathlib import Path
from typing import Any

import pytest
from billogram_api import BillogramAPI, BillogramExceptions

from billogram_sandbox_tests.api.official_client.driver import (
    NUMBERS,
    body,
    control,
    customer,
    driven,
    drives,
    late,
    public,
    sent,
)
from billogram_sandbox_tests.client import PDF, Json, base64_of

PNG = base64_of(b"\x89PNG\r\n\x1a\n")


def test_every_public_method_is_driven() -> None:
    assert driven == set(public())


@drives("BillogramAPI.customers", "SimpleClass.create", "SimpleClass.get", "SimpleClass.api", "SimpleClass.url_name")
def test_customer_is_created_and_fetched(api: Any) -> None:
    made = customer(api)

    assert api.customers.get(made["customer_no"])["address"]["zipcode"] == "11122"
    assert (api.customers.url_name, api.customers.api) == ("customer", api)


@drives(
    "SingletonObject.update",
    "SingletonObject.refresh",
    "SingletonObject.data",
    "SingletonObject.__getitem__",
    "SimpleObject.__getattr__",
    "SingletonObject.__repr__",
)
def test_object_is_changed_refreshed_and_read(api: Any) -> None:
    made = customer(api)
    made.update({"notes": "n"})
    other = api.customers.get(made["customer_no"]).refresh()

    assert (other.data["notes"], other["notes"], other.notes) == ("n", "n", "n")
    assert repr(other) == f"<Billogram object 'customer/{made['customer_no']}'>"


@drives("BillogramAPI.items", "SimpleObject.delete")
def test_item_is_created_used_and_deleted(api: Any) -> None:
    item = api.items.create({"title": "Tidning", "price": 100, "vat": 6, "unit": "month"})
    billogram = api.billogram.create(body(api, items=[{"item_no": item["item_no"], "count": 2}]))
    item.delete()

    assert billogram["items"][0]["title"] == "Tidning"
    with pytest.raises(BillogramExceptions.ObjectNotFoundError):
        api.items.get(item["item_no"])


@drives(
    "SimpleClass.query",
    "Query.filter",
    "Query.order",
    "Query.page_size",
    "Query.count",
    "Query.total_pages",
    "Query.get_page",
    "Query.iter_all",
    "Query.make_filter",
    "Query.remove_filter",
    "Query.filter_field",
    "Query.filter_prefix",
    "Query.filter_search",
    "Query.filter_special",
    "Query.search",
)
def test_customers_are_searched_paged_and_iterated(api: Any) -> None:
    word = f"sökord{next(NUMBERS)}"
    made = [customer(api, name=f"{word} {number}", notes=word)["customer_no"] for number in range(5)]
    query = api.customers.query().filter_field("notes", word)
    query.order = {"order_field": "customer_no", "order_direction": "desc"}
    query.page_size = 2

    assert (query.count, query.total_pages, query.page_size) == (5, 3, 2)
    assert [each["customer_no"] for each in query.get_page(2)] == made[2::-1][:2]
    assert [each["customer_no"] for each in query.iter_all()] == made[::-1]
    assert query.filter["filter_field"] == "notes"
    assert query.order["order_direction"] == "desc"
    for wider in (
        query.filter_prefix("name", word),
        query.filter_search("name", word[2:]),
        query.filter_special("search", word),
        query.search(f"{word} lisa@example.com"),
        query.make_filter("field", "notes", word),
    ):
        assert wider.count == 5
    assert query.remove_filter().count > 5


@drives("BillogramAPI.billogram", "BillogramClass.query", "BillogramQuery.filter_state_any")
def test_billograms_are_found_by_state(api: Any) -> None:
    paid, draft = sent(api).create_payment(149), api.billogram.create(body(api))
    found = [each["id"] for each in api.billogram.query().filter_state_any("Paid", "Credited").iter_all()]

    assert paid["id"] in found
    assert draft["id"] not in found
    assert draft["id"] in [each["id"] for each in api.billogram.query().filter_state_any(["Unattested"]).iter_all()]


@drives("BillogramAPI.settings")
def test_settings_are_changed_in_part(api: Any) -> None:
    before = api.settings["invoices"]["default_interest_rate"]
    api.settings.update({"contact": {"www": "https://tidning.example"}, "payment": None})

    assert BillogramAPI(*api._auth, api_base=api._api_base).settings["contact"]["www"] == "https://tidning.example"
    assert (before, api.settings["payment"]["domestic_bank_account"]["account_no"]) == (8.5, "")


@drives("BillogramAPI.logotype")
def test_logotype_is_uploaded(api: Any) -> None:
    assert repr(api.logotype) == "<Billogram object 'logotype' (lazy)>"
    api.logotype.update({"content": PNG, "file_type": "image/png"})

    assert api.logotype.refresh().data == {"content": PNG, "file_type": "image/png"}


@drives("BillogramAPI.reports")
def test_reports_are_listed_and_fetched(api: Any, base: str) -> None:
    sent(api)
    control(base, "POST", "/clock", {"advance": "40d"})
    listed = list(api.reports.query().iter_all())

    assert {each["type"] for each in listed} == {"sie4", "debtors ledger journal"}
    assert "content" not in listed[0].data
    assert api.reports.get(listed[0]["filename"])["content"]


@drives("BillogramAPI.get", "BillogramAPI.post", "BillogramAPI.put", "BillogramAPI.delete")
def test_endpoint_without_method_is_called_by_url(api: Any) -> None:
    path = f"customer/{customer(api)['customer_no']}"
    api.post(f"{path}/einvoice", {"identifier": "198802276322.SBF.SE"})
    api.put(f"{path}/billing-tab/settings", {"billing_frequency": "daily"})

    assert api.get(f"{path}/einvoice")["data"]["status"] == "registered"
    assert api.delete(f"{path}/billing-tab/settings") == {"status": "OK", "data": {}}
    assert api.get("billogram_event", _events_of(sent(api)))["meta"]["total_count"] == 2


def _events_of(billogram: Any) -> Json:
    return {"filter_type": "field", "filter_field": "billogram_id", "filter_value": billogram["id"]}


@drives("BillogramClass.create_and_send", "BillogramObject.send", "BillogramObject.resend")
def test_billogram_is_sent_and_resent(api: Any) -> None:
    both = api.billogram.create_and_send(body(api), "Email+Letter")
    again = both.resend().resend("Letter")

    assert (both["state"], both["delivery_method"]) == ("Unpaid", "Email+Letter")
    assert [event["type"] for event in again["events"]][2:] == ["Resent", "Resent"]


def test_client_deletes_a_billogram_that_cannot_be_sent(api: Any) -> None:
    unreachable = customer(api, contact={})["customer_no"]
    wanted = body(api, customer={"customer_no": unreachable}, creditor_unique_value="unsendable")
    with pytest.raises(BillogramExceptions.InvalidFieldValueError) as refused:
        api.billogram.create_and_send(wanted, "Email")

    assert (refused.value.field, refused.value.field_path) == ("method", None)
    assert api.billogram.query().filter_field("creditor_unique_value", "unsendable").count == 0


@drives("BillogramClass.create_and_sell", "BillogramObject.send_to_factoring")
def test_billogram_is_sold(api: Any, base: str) -> None:
    at_once, later = api.billogram.create_and_sell(body(api)), api.billogram.create(body(api)).send_to_factoring()
    control(base, "POST", f"/billograms/{at_once['id']}/factoring", {"outcome": "sold"})
    control(base, "POST", f"/billograms/{later['id']}/factoring", {"outcome": "denied"})

    assert (at_once["state"], later["state"]) == ("Factoring", "Factoring")
    assert (at_once.refresh()["state"], later.refresh()["state"]) == ("Sold", "FactoringDenied")


@drives(
    "BillogramObject.perform_event",
    "BillogramObject.create_payment",
    "BillogramObject.credit_amount",
    "BillogramObject.credit_full",
    "BillogramObject.credit_remaining",
)
def test_billogram_is_paid_and_credited(api: Any) -> None:
    paid, credited, rest = sent(api).create_payment(149), sent(api).credit_full(), sent(api).credit_amount(100)
    texted = api.billogram.create(body(api)).perform_event("send", {"method": "DoNotNotify"})

    assert (paid["state"], credited["state"], rest["remaining_sum"]) == ("Paid", "Credited", 49)
    assert rest.credit_remaining()["state"] == "Credited"
    assert texted["state"] == "Unpaid"


@drives("BillogramObject.send_reminder", "BillogramObject.send_to_collector", "BillogramObject.writeoff")
def test_late_billogram_is_reminded_written_off_or_collected(api: Any) -> None:
    reminded, collected = late(api).send_reminder().send_reminder("Letter"), late(api).send_to_collector()
    fees = reminded["remaining_sum"] - reminded["total_sum"]

    assert (reminded["state"], reminded["reminder_count"], fees > 0) == ("Reminder_2", 2, True)
    assert reminded.create_payment(149).writeoff()["state"] == "Paid"
    assert collected["state"] == "Collecting"


@drives("BillogramObject.send_message")
def test_message_is_sent(api: Any) -> None:
    assert sent(api).send_message("Hej!")["events"][-1]["type"] == "CreditorMessage"


@drives("BillogramObject.get_invoice_pdf")
def test_invoice_is_fetched_as_pdf(api: Any) -> None:
    billogram = sent(api)
    letter = billogram["events"][1]["data"]

    assert billogram.get_invoice_pdf().startswith(b"%PDF-")
    assert billogram.get_invoice_pdf(letter["letter_id"], letter["invoice_no"]).startswith(b"%PDF-")


@drives("BillogramObject.get_attachment_pdf", "BillogramObject.attach_pdf")
def test_attach_pdf_fails_in_the_client_and_the_command_works(api: Any, tmp_path: Path) -> None:
    billogram, file = api.billogram.create(body(api)), tmp_path / "villkor.pdf"
    file.write_bytes(PDF)
    with pytest.raises(NameError, match="file"):
        billogram.attach_pdf(str(file))
    billogram.perform_event("attach", {"filename": file.name, "content": base64_of(PDF)})

    assert billogram["attachment"] == "villkor.pdf"
    assert billogram.get_attachment_pdf() == PDF
