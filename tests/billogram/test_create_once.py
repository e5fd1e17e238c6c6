"""One invoice per key, whatever fails in between (IDEM-4).

A response that never arrives may belong to an invoice that was created and sent. Posting it again would bill the
subscriber twice. The platform refuses a second invoice under one key, and all of this depends on it.
"""

import socket

import httpx
import pytest
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import DataRefused, KeyExists, OutcomeUnknown, PlatformUnavailable
from avtal.billogram.invoices import DuplicateRemote, KeyTaken, RemoteDeleted, make_invoice
from avtal.billogram.shapes import Billogram
from avtal.billogram.translate import invoice_body
from avtal.contracts.bills.bill import FactType
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice
from avtal.store.accounts.accounts import PlatformCredentials
from billogram_sandbox_tests.client import KEY, USER, Json, data, types
from tests.billogram.builders import (
    KEY_OF_REQUEST,
    Platform,
    client_at,
    make_automatic_request,
    make_request,
    make_row,
    responding,
)


async def first_attempt(platform: Platform, request: InvoiceRequest) -> RemoteInvoice:
    return await make_invoice(platform.client, request, known_id=None, tried_before=False)


async def next_attempt(platform: Platform, request: InvoiceRequest, known_id: str | None = None) -> RemoteInvoice:
    return await make_invoice(platform.client, request, known_id=known_id, tried_before=True)


async def the_one_invoice(platform: Platform) -> Json:
    invoices = await platform.invoices()
    assert len(invoices) == 1
    return invoices[0]


@pytest.fixture(autouse=True)
async def customer(platform: Platform) -> None:
    await platform.customer()
    await platform.requests()


# Step 2: one request.


async def test_automatic_mode_creates_and_sends_in_one_request(platform: Platform) -> None:
    invoice = await first_attempt(platform, make_automatic_request())
    requests = await platform.requests()
    made = await the_one_invoice(platform)

    assert requests == {"POST /billogram": 1}
    assert types(made) == ["BillogramCreated", "BillogramSent"]
    assert [fact.type for fact in invoice.facts] == [FactType.CREATED, FactType.DISPATCHED, FactType.INVOICED]
    assert (invoice.is_draft, invoice.total_minor, str(invoice.due_date)) == (False, 395_00, "2099-01-31")
    assert (made["creditor_unique_value"], made["callbacks"]["custom"]) == (KEY_OF_REQUEST, KEY_OF_REQUEST)


async def test_draft_mode_leaves_the_invoice_to_staff(platform: Platform) -> None:
    invoice = await first_attempt(platform, make_request())
    made = await the_one_invoice(platform)

    assert invoice.is_draft
    assert (made["state"], types(made), made["due_days"]) == ("Unattested", ["BillogramCreated"], 30)


async def test_the_edi_number_is_sent_with_the_invoice(platform: Platform) -> None:
    await first_attempt(platform, make_automatic_request(send_by="EDI", edi_number="7350001600000"))

    assert (await the_one_invoice(platform))["regional_sweden"]["edi"]["electronic_id"] == "7350001600000"


# Step 4: the key exists.


async def test_an_existing_invoice_under_our_key_is_adopted(platform: Platform) -> None:
    before = await first_attempt(platform, make_automatic_request())
    again = await first_attempt(platform, make_automatic_request())

    assert again == before
    await the_one_invoice(platform)


async def test_a_retry_searches_before_it_posts(platform: Platform) -> None:
    before = await first_attempt(platform, make_automatic_request())
    await platform.requests()
    again = await next_attempt(platform, make_automatic_request())

    assert again == before
    assert await platform.requests() == {"GET /billogram": 1, "GET /billogram/{id}": 1}


async def test_a_retry_that_finds_nothing_posts(platform: Platform) -> None:
    invoice = await next_attempt(platform, make_automatic_request())

    assert (await the_one_invoice(platform))["id"] == invoice.billogram_id


async def test_a_key_that_exists_but_is_not_listed_yet_is_retried() -> None:
    async def respond(request: BaseRequest) -> Response:
        if request.method == "GET":
            return json_response({"status": "OK", "data": []})
        taken = {"message": "exists", "field": "creditor_unique_value"}
        return json_response({"status": "INVALID_PARAMETER", "data": taken}, status=400)

    with pytest.raises(PlatformUnavailable, match="INVALID_PARAMETER at creditor_unique_value"):
        async with responding(respond) as client:
            await make_invoice(client, make_request(), known_id=None, tried_before=False)


# Step 5: no response.


@pytest.mark.parametrize("invoice_request", [make_automatic_request(), make_request()], ids=["automatic", "draft"])
async def test_an_invoice_whose_response_was_lost_is_adopted(
    platform: Platform, invoice_request: InvoiceRequest
) -> None:
    await platform.fails(fail_after_store=1.0)
    invoice = await first_attempt(platform, invoice_request)
    requests = await platform.requests()

    assert (await the_one_invoice(platform))["id"] == invoice.billogram_id
    assert requests == {"POST /billogram": 1, "GET /billogram": 1, "GET /billogram/{id}": 1}


async def test_an_outage_creates_nothing(platform: Platform) -> None:
    await platform.fails(down=True)
    with pytest.raises(OutcomeUnknown, match="HTTP_503"):
        await first_attempt(platform, make_automatic_request())
    with pytest.raises(OutcomeUnknown, match="HTTP_503"):
        await next_attempt(platform, make_automatic_request())
    await platform.fails()

    assert await platform.invoices() == []


async def test_a_refused_connection_is_not_an_unknown_outcome(http: httpx.AsyncClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(PlatformUnavailable) as raised:
            await make_invoice(client_at(url, http), make_request(), known_id=None, tried_before=False)

    assert type(raised.value) is PlatformUnavailable


# Adoption.


@pytest.mark.parametrize(
    "foreign",
    [
        make_request(customer_no=2),
        make_request(currency="NOK"),
        make_request(rows=(make_row(price_minor=317_00),)),
        make_request(rows=(make_row(), make_row())),
    ],
    ids=["customer", "currency", "price", "row"],
)
@pytest.mark.parametrize("tried_before", [True, False])
async def test_a_different_invoice_under_our_key_is_not_adopted(
    platform: Platform, foreign: InvoiceRequest, tried_before: bool
) -> None:
    await platform.customer(2)
    theirs = await platform.client.create(invoice_body(foreign))
    with pytest.raises(KeyTaken):
        await make_invoice(platform.client, make_automatic_request(), known_id=None, tried_before=tried_before)
    left = await the_one_invoice(platform)

    assert (left["id"], left["state"]) == (theirs.id, "Unattested")


async def test_none_of_several_invoices_under_our_key_is_adopted() -> None:
    """The sandbox enforces the unique key, so another server lists two."""

    async def respond(request: BaseRequest) -> Response:
        filters = [request.query[f"filter_{part}"] for part in ("type", "field", "value")]
        assert filters == ["field", "creditor_unique_value", KEY_OF_REQUEST]
        found = [{"id": each, "creditor_unique_value": KEY_OF_REQUEST} for each in ("Xk29fPw", "Yk30gQx")]
        return json_response({"status": "OK", "data": found})

    with pytest.raises(DuplicateRemote):
        async with responding(respond) as client:
            await make_invoice(client, make_request(), known_id=None, tried_before=True)


async def test_a_listed_invoice_under_another_key_is_ignored() -> None:
    async def respond(_: BaseRequest) -> Response:
        return json_response({"data": [{"id": "Xk29fPw", "creditor_unique_value": "C-1:0:R0"}]})

    async with responding(respond) as client:
        assert await client.find(KEY_OF_REQUEST) == []


# Step 7: refused.


async def test_a_letter_without_an_address_is_refused_and_creates_nothing(
    platform: Platform,
) -> None:
    await platform.customer(2, name="Lisa Provperson", address={})
    with pytest.raises(DataRefused) as raised:
        await first_attempt(platform, make_automatic_request(customer_no=2, send_by="Letter"))

    assert not isinstance(raised.value, KeyExists)
    assert (raised.value.field, raised.value.provider_message) == (
        "on_success.method",
        "invalid delivery method, address missing",
    )
    assert str(raised.value) == "INVALID_PARAMETER at on_success.method"
    assert await platform.invoices() == []


# Step 8: an adopted draft.


async def test_an_adopted_draft_is_sent_in_automatic_mode(platform: Platform) -> None:
    draft = await first_attempt(platform, make_request())
    invoice = await next_attempt(platform, make_automatic_request())

    assert (invoice.billogram_id, invoice.is_draft) == (draft.billogram_id, False)
    assert (await the_one_invoice(platform))["delivery_method"] == "Email"


async def test_an_adopted_draft_stays_one_in_draft_mode(platform: Platform) -> None:
    draft = await first_attempt(platform, make_request())

    assert await next_attempt(platform, make_request()) == draft


class Interrupted(BillogramClient):
    """Just before we send, staff do `first`."""

    def __init__(self, platform: Platform, verb: str, command: str) -> None:
        super().__init__(platform.http, PlatformCredentials(url=f"{platform.url}/api/v2", user=USER, key=KEY))
        self.platform, self.verb, self.command = platform, verb, command

    async def send(self, billogram_id: str, method: str) -> Billogram:
        body = {"method": "Letter"}
        data(await self.platform.other.api(self.verb, f"/billogram/{billogram_id}{self.command}", body))
        return await super().send(billogram_id, method)


async def test_a_draft_that_staff_send_first_is_read_again(platform: Platform) -> None:
    await first_attempt(platform, make_request())
    staff = Interrupted(platform, "POST", "/command/send")
    invoice = await make_invoice(staff, make_automatic_request(), known_id=None, tried_before=True)
    made = await the_one_invoice(platform)

    assert not invoice.is_draft
    assert (made["delivery_method"], types(made)) == ("Letter", ["BillogramCreated", "BillogramSent"])


async def test_a_draft_that_staff_delete_first_is_deleted(platform: Platform) -> None:
    """Otherwise the next attempt would find nothing under the key, and post it again."""
    await first_attempt(platform, make_request())
    staff = Interrupted(platform, "DELETE", "")
    with pytest.raises(RemoteDeleted):
        await make_invoice(staff, make_automatic_request(), known_id=None, tried_before=True)


# An invoice whose id is known.


async def test_a_known_invoice_is_read_and_never_posted_again(platform: Platform) -> None:
    before = await first_attempt(platform, make_automatic_request())
    await platform.requests()
    again = await next_attempt(platform, make_automatic_request(), before.billogram_id)

    assert again == before
    assert await platform.requests() == {"GET /billogram/{id}": 1}


async def test_a_deleted_invoice_is_not_created_again(platform: Platform) -> None:
    draft = await first_attempt(platform, make_request())
    await platform.other.api("DELETE", f"/billogram/{draft.billogram_id}")
    with pytest.raises(RemoteDeleted):
        await next_attempt(platform, make_request(), draft.billogram_id)

    assert await platform.invoices() == []


async def test_a_404_of_a_front_server_does_not_mean_deleted() -> None:
    """Otherwise a retry by an operator would create a second invoice."""

    async def respond(_: BaseRequest) -> Response:
        return Response(status=404, text="<html>404 Not Found</html>")

    with pytest.raises(PlatformUnavailable):
        async with responding(respond) as client:
            await make_invoice(client, make_request(), known_id="Xk29fPw", tried_before=True)
