"""Every error of Billogram's own Python client, and its own failures, which docs/behaviour.md lists."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from billogram_api import BillogramAPI, BillogramExceptions

from billogram_sandbox_tests.api.official_client.driver import (
    NUMBERS,
    body,
    control,
    customer,
    sent,
)
from billogram_sandbox_tests.client import KEY, USER, row

NEVER_RAISED = {"MissingFieldError", "ObjectNotAvailableYetError", "BillogramAPIError", "PermissionDeniedError"}
"""No response of Billogram or the sandbox leads to them."""


def _wrong_key(api: Any) -> None:
    BillogramAPI(USER, "wrong", api_base=api._api_base).settings.refresh()


def _without_credentials(api: Any) -> None:
    anonymous = BillogramAPI(USER, KEY, api_base=api._api_base)
    anonymous._auth = None
    anonymous.settings.refresh()


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
def test_api_error_is_raised_as_the_clients_error(api: Any, name: str, provoke: Callable[[Any], object]) -> None:
    with pytest.raises(getattr(BillogramExceptions, name)) as raised:
        provoke(api)

    assert type(raised.value).__name__ == name


def test_every_error_of_the_client_is_raised() -> None:
    errors = {name for name, each in vars(BillogramExceptions).items() if inspect.isclass(each)}

    assert set(ERRORS) | NEVER_RAISED == errors


def test_error_has_field_and_path(api: Any) -> None:
    with pytest.raises(BillogramExceptions.InvalidFieldValueError, match="Title not set") as raised:
        api.billogram.create(body(api, items=[row(), {"count": 1, "price": 1, "vat": 6}]))

    assert (raised.value.field, raised.value.field_path) == ("title", ["items", 1])


@pytest.mark.parametrize("name", ["send", "resend", "send_reminder"])
def test_newer_delivery_methods_are_refused_by_the_client(api: Any, name: str) -> None:
    with pytest.raises(AssertionError):
        getattr(api.billogram.create(body(api)), name)("SMS")


def test_response_without_content_breaks_the_client(api: Any) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        api.get("payment_source", {"customer_no": customer(api)["customer_no"]})


def test_client_does_not_escape_ids_in_urls(api: Any) -> None:
    made = api.items.create({"item_no": f"a/{next(NUMBERS)}", "title": "A", "price": 1, "vat": 6, "unit": "unit"})
    with pytest.raises(BillogramExceptions.ObjectNotFoundError):
        made.refresh()


def test_client_changes_the_argument_of_create_and_sell(api: Any) -> None:
    wanted = body(api)
    api.billogram.create_and_sell(wanted)

    assert wanted["_event"] == "sell"
