"""Billogram's own Python client, unmodified, over real HTTP. Every public method and every error of it is driven.

Each test names the methods that it drives and must enter them, so one that no test calls is noticed. Failures that are
the client's own are asserted here and named in docs/sandbox.md.
"""

import inspect
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import count
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, ParamSpec

import billogram_api
import httpx
import pytest
import uvicorn
from billogram_api import BillogramAPI, BillogramExceptions

from billogram_sandbox import app
from billogram_sandbox.life import commands
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, PDF, USER, Json, base64_of, row

P = ParamSpec("P")
SPOKEN = {"__getitem__", "__getattr__", "__repr__"}
"""What dict-like access, attributes, and printing call."""
NEVER_RAISED = {"MissingFieldError", "ObjectNotAvailableYetError", "BillogramAPIError", "PermissionDeniedError"}
"""The client has them and no answer leads to them but one that neither Billogram nor the sandbox gives."""
PNG = base64_of(b"\x89PNG\r\n\x1a\n")
NUMBERS = count(1)
driven: set[str] = set()


def public() -> dict[str, list[CodeType]]:
    """The code of every public method, and of both halves of every public property."""
    classes = [each for _, each in inspect.getmembers(billogram_api, inspect.isclass) if not _is_error(each)]
    return {
        f"{each.__name__}.{name}": list(_codes(member))
        for each in classes
        for name, member in vars(each).items()
        if (not name.startswith("_") or name in SPOKEN) and list(_codes(member))
    }


def _is_error(each: type) -> bool:
    return issubclass(each, Exception) or each is BillogramExceptions


def _codes(member: object) -> Iterator[CodeType]:
    halves = (member.fget, member.fset) if isinstance(member, property) else (member,)
    for half in halves:
        if inspect.isfunction(half):
            yield half.__code__


def drives(*names: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    driven.update(names)

    def of(test: Callable[P, None]) -> Callable[P, None]:
        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with entering() as entered:
                test(*args, **kwargs)
            assert [name for name in names if not entered.issuperset(public()[name])] == []

        return run

    return of


@contextmanager
def entering() -> Iterator[set[CodeType]]:
    entered: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox behind a real socket; whoever connects before it runs waits."""
    data = tmp_path_factory.mktemp("official") / "sandbox.db"
    config = uvicorn.Config(app.create_app(Settings(data=data, user=USER, key=KEY)), log_level="warning")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def api(base: str) -> Any:  # Any: the client carries no types
    return BillogramAPI(USER, KEY, api_base=f"{base}/api/v2")


def customer(api: Any, **fields: object) -> Any:
    address = {"street_address": "Storgatan 1", "zipcode": "111 22", "city": "Järfälla"}
    usual: Json = {"name": "Lisa Provperson", "contact": {"email": "lisa@example.com"}, "address": address}
    return api.customers.create(usual | fields)


def body(api: Any, **fields: object) -> Json:
    return {"customer": {"customer_no": customer(api)["customer_no"]}, "items": [row()]} | fields


def sent(api: Any, **fields: object) -> Any:
    return api.billogram.create_and_send(body(api, **fields), "Email")


def late(api: Any) -> Any:
    return sent(api, invoice_date="2026-01-01", due_days=1).refresh()


def control(base: str, verb: str, path: str, wanted: Json) -> None:
    httpx.request(verb, f"{base}/sandbox{path}", json=wanted).raise_for_status()


def test_no_public_method_is_left_out() -> None:
    assert driven == set(public())


@drives("BillogramAPI.customers", "SimpleClass.create", "SimpleClass.get", "SimpleClass.api", "SimpleClass.url_name")
def test_a_customer_is_made_and_fetched(api: Any) -> None:
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
def test_an_object_is_changed_refreshed_and_looked_into(api: Any) -> None:
    made = customer(api)
    made.update({"notes": "n"})
    other = api.customers.get(made["customer_no"]).refresh()

    assert (other.data["notes"], other["notes"], other.notes) == ("n", "n", "n")
    assert repr(other) == f"<Billogram object 'customer/{made['customer_no']}'>"


@drives("BillogramAPI.items", "SimpleObject.delete")
def test_an_item_is_made_used_and_deleted(api: Any) -> None:
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
def test_customers_are_searched_paged_and_gone_through(api: Any) -> None:
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
def test_billograms_are_found_by_their_states(api: Any) -> None:
    paid, draft = sent(api).create_payment(149), api.billogram.create(body(api))
    found = [each["id"] for each in api.billogram.query().filter_state_any("Paid", "Credited").iter_all()]

    assert paid["id"] in found
    assert draft["id"] not in found
    assert draft["id"] in [each["id"] for each in api.billogram.query().filter_state_any(["Unattested"]).iter_all()]


@drives("BillogramAPI.settings")
def test_the_settings_are_changed_in_part(api: Any) -> None:
    before = api.settings["invoices"]["default_interest_rate"]
    api.settings.update({"contact": {"www": "https://tidning.example"}, "payment": None})

    assert BillogramAPI(*api._auth, api_base=api._api_base).settings["contact"]["www"] == "https://tidning.example"
    assert (before, api.settings["payment"]["domestic_bank_account"]["account_no"]) == (8.5, "")


@drives("BillogramAPI.logotype")
def test_the_logotype_is_uploaded(api: Any) -> None:
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
def test_what_has_no_method_of_its_own_is_called_by_its_address(api: Any) -> None:
    path = f"customer/{customer(api)['customer_no']}"
    api.post(f"{path}/einvoice", {"identifier": "198802276322.SBF.SE"})
    api.put(f"{path}/billing-tab/settings", {"billing_frequency": "daily"})

    assert api.get(f"{path}/einvoice")["data"]["status"] == "registered"
    assert api.delete(f"{path}/billing-tab/settings") == {"status": "OK", "data": {}}
    assert api.get("billogram_event", _events_of(sent(api)))["meta"]["total_count"] == 2


def _events_of(billogram: Any) -> Json:
    return {"filter_type": "field", "filter_field": "billogram_id", "filter_value": billogram["id"]}


@drives("BillogramClass.create_and_send", "BillogramObject.send", "BillogramObject.resend")
def test_a_billogram_is_sent_and_sent_again(api: Any) -> None:
    both = api.billogram.create_and_send(body(api), "Email+Letter")
    again = both.resend().resend("Letter")

    assert (both["state"], both["delivery_method"]) == ("Unpaid", "Email+Letter")
    assert [event["type"] for event in again["events"]][2:] == ["Resent", "Resent"]


def test_a_billogram_that_cannot_be_sent_is_deleted_by_the_client(api: Any) -> None:
    nobody = customer(api, contact={})["customer_no"]
    wanted = body(api, customer={"customer_no": nobody}, creditor_unique_value="unsendable")
    with pytest.raises(BillogramExceptions.InvalidFieldValueError) as refused:
        api.billogram.create_and_send(wanted, "Email")

    assert (refused.value.field, refused.value.field_path) == ("method", None)
    assert api.billogram.query().filter_field("creditor_unique_value", "unsendable").count == 0


@drives("BillogramClass.create_and_sell", "BillogramObject.send_to_factoring")
def test_a_billogram_is_sold(api: Any, base: str) -> None:
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
def test_a_billogram_is_paid_and_credited(api: Any) -> None:
    paid, credited, rest = sent(api).create_payment(149), sent(api).credit_full(), sent(api).credit_amount(100)
    texted = api.billogram.create(body(api)).perform_event("send", {"method": "DoNotNotify"})

    assert (paid["state"], credited["state"], rest["remaining_sum"]) == ("Paid", "Credited", 49)
    assert rest.credit_remaining()["state"] == "Credited"
    assert texted["state"] == "Unpaid"


@drives("BillogramObject.send_reminder", "BillogramObject.send_to_collector", "BillogramObject.writeoff")
def test_a_late_billogram_is_reminded_of_written_off_or_collected(api: Any) -> None:
    reminded, collected = late(api).send_reminder().send_reminder("Letter"), late(api).send_to_collector()
    fees = reminded["remaining_sum"] - reminded["total_sum"]

    assert (reminded["state"], reminded["reminder_count"], fees > 0) == ("Reminder_2", 2, True)
    assert reminded.create_payment(149).writeoff()["state"] == "Paid"
    assert collected["state"] == "Collecting"


@pytest.mark.skipif("message" not in commands.COMMANDS, reason="the command is not there yet")
@drives("BillogramObject.send_message")
def test_a_message_is_sent(api: Any) -> None:
    assert sent(api).send_message("Hej!")["events"][-1]["type"] == "CreditorMessage"


@pytest.mark.skipif(all(path != "/billogram/{id}.pdf" for _, path, _ in app.API), reason="no PDF is drawn yet")
@drives("BillogramObject.get_invoice_pdf")
def test_the_invoice_is_fetched_as_a_pdf(api: Any) -> None:
    billogram = sent(api)
    letter = billogram["events"][1]["data"]

    assert billogram.get_invoice_pdf().startswith(b"%PDF-")
    assert billogram.get_invoice_pdf(letter["letter_id"], letter["invoice_no"]).startswith(b"%PDF-")


@drives("BillogramObject.get_attachment_pdf", "BillogramObject.attach_pdf")
def test_attaching_a_file_fails_in_the_client_on_python_3_and_by_the_command_it_works(api: Any, tmp_path: Path) -> None:
    billogram, file = api.billogram.create(body(api)), tmp_path / "villkor.pdf"
    file.write_bytes(PDF)
    with pytest.raises(NameError, match="file"):
        billogram.attach_pdf(str(file))
    billogram.perform_event("attach", {"filename": file.name, "content": base64_of(PDF)})

    assert billogram["attachment"] == "villkor.pdf"
    assert billogram.get_attachment_pdf() == PDF


def _wrong_key(api: Any) -> None:
    BillogramAPI(USER, "wrong", api_base=api._api_base).settings.refresh()


def _without_credentials(api: Any) -> None:
    nobody = BillogramAPI(USER, KEY, api_base=api._api_base)
    nobody._auth = None
    nobody.settings.refresh()


def _with_errors(api: Any) -> None:
    base = api._api_base.removesuffix("/api/v2")
    control(base, "PUT", "/faults", {"api": {"html_error": 1}})
    try:
        api.settings.refresh()
    finally:
        control(base, "PUT", "/faults", {})


ERRORS: dict[str, list[Callable[[Any], object]]] = {
    "ServiceMalfunctioningError": [_with_errors],
    "RequestFormError": [
        lambda api: api.customers.get(customer(api)["customer_no"]).delete(),
        lambda api: api.reports.create({}),
        lambda api: api.customers.query().filter_field("shoe_size", "41").count,
        lambda api: api.get("customer", {"filter_type": "field"}),
        lambda api: api.get("payment_source"),
    ],
    "InvalidAuthenticationError": [_wrong_key],
    "NotAuthorizedError": [
        lambda api: api.billogram.create(body(api, items=[row(price=-1)])),
        lambda api: sent(api).perform_event("credit-payment", {"mode": "remaining"}),
    ],
    "RequestDataError": [_without_credentials],
    "UnknownFieldError": [lambda api: api.billogram.create(body(api, item_id=6))],
    "InvalidFieldCombinationError": [
        lambda api: api.billogram.create(body(api, invoice_date="2026-01-01", due_date="2026-02-01", due_days=1)),
        lambda api: api.billogram.create(body(api, attachment="x.pdf")),
    ],
    "InvalidFieldValueError": [
        lambda api: api.items.create({"title": "", "price": 1, "vat": 6, "unit": "unit"}),
        lambda api: api.items.create({"price": 1, "vat": 6, "unit": "unit"}),
        lambda api: api.logotype.update({"content": "no picture"}),
    ],
    "ReadOnlyFieldError": [lambda api: api.billogram.create(body(api, state="Paid"))],
    "InvalidObjectStateError": [
        lambda api: sent(api).send("Email"),
        lambda api: sent(api).delete(),
        lambda api: sent(api).create_payment(149).update({"info": {"message": "late"}}),
    ],
    "ObjectNotFoundError": [
        lambda api: api.billogram.get("nobody"),
        lambda api: api.get("creditor"),
        lambda api: sent(api).perform_event("sing"),
        lambda api: sent(api).get_attachment_pdf(),
    ],
}


@pytest.mark.parametrize(
    ("name", "provoke"), [(name, provoke) for name, provokes in ERRORS.items() for provoke in provokes]
)
def test_a_refusal_is_raised_as_the_error_that_the_client_has_for_it(
    api: Any, name: str, provoke: Callable[[Any], object]
) -> None:
    with pytest.raises(getattr(BillogramExceptions, name)) as raised:
        provoke(api)

    assert type(raised.value).__name__ == name


def test_no_error_of_the_client_is_left_out() -> None:
    errors = {name for name, each in vars(BillogramExceptions).items() if inspect.isclass(each)}

    assert set(ERRORS) | NEVER_RAISED == errors


def test_an_error_carries_the_field_and_where_it_stands(api: Any) -> None:
    with pytest.raises(BillogramExceptions.InvalidFieldValueError, match="Title not set") as raised:
        api.billogram.create(body(api, items=[row(), {"count": 1, "price": 1, "vat": 6}]))

    assert (raised.value.field, raised.value.field_path) == ("title", ["items", 1])


@pytest.mark.parametrize("name", ["send", "resend", "send_reminder"])
def test_ways_newer_than_the_client_are_refused_by_itself(api: Any, name: str) -> None:
    with pytest.raises(AssertionError):
        getattr(api.billogram.create(body(api)), name)("SMS")


def test_an_answer_without_content_breaks_the_client(api: Any) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        api.get("payment_source", {"customer_no": customer(api)["customer_no"]})


def test_the_client_does_not_escape_what_it_puts_into_an_address(api: Any) -> None:
    made = api.items.create({"item_no": f"a/{next(NUMBERS)}", "title": "A", "price": 1, "vat": 6, "unit": "unit"})
    with pytest.raises(BillogramExceptions.ObjectNotFoundError):
        made.refresh()


def test_the_client_writes_into_what_it_is_given_to_sell(api: Any) -> None:
    wanted = body(api)
    api.billogram.create_and_sell(wanted)

    assert wanted["_event"] == "sell"
