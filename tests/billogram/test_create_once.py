"""One invoice per key, whatever fails in between: the steps of IDEM-4.

What surprises, and what it would cost: an answer that never comes may belong to an invoice that was made and sent, so
that posting it again would bill the reader twice. The platform refuses a second invoice under one key; everything
here leans on that.
"""

import socket

import pytest
from aiohttp import ClientSession
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram.client import BillogramClient, Credentials
from avtal.billogram.errors import DataRefused, KeyExists, OutcomeUnknown, PlatformUnavailable
from avtal.billogram.invoices import DuplicateRemote, KeyTaken, RemoteGone, make_invoice
from avtal.billogram.shapes import Billogram
from avtal.billogram.translate import invoice_body
from avtal.contracts.bills.bill import FactType
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice
from billogram_sandbox_tests.client import KEY, USER, Json, data, types
from tests.billogram.builders import (
    KEY_OF_ORDER,
    Platform,
    answering,
    client_at,
    make_automatic_order,
    make_order,
    make_row,
)


async def first_try(platform: Platform, order: InvoiceRequest) -> RemoteInvoice:
    return await make_invoice(platform.client, order, known_id=None, tried_before=False)


async def next_try(platform: Platform, order: InvoiceRequest, known_id: str | None = None) -> RemoteInvoice:
    return await make_invoice(platform.client, order, known_id=known_id, tried_before=True)


async def the_one_invoice(platform: Platform) -> Json:
    invoices = await platform.invoices()
    assert len(invoices) == 1
    return invoices[0]


@pytest.fixture(autouse=True)
async def customer(platform: Platform) -> None:
    await platform.customer()
    await platform.requests()


# Step 2: posted once, and sent by the same request.


async def test_in_automatic_mode_one_request_makes_and_sends_the_invoice(platform: Platform) -> None:
    invoice = await first_try(platform, make_automatic_order())
    requests = await platform.requests()
    made = await the_one_invoice(platform)

    assert requests == {"POST /billogram": 1}
    assert types(made) == ["BillogramCreated", "BillogramSent"]
    assert [fact.type for fact in invoice.facts] == [FactType.CREATED, FactType.DISPATCHED, FactType.INVOICED]
    assert (invoice.is_draft, invoice.total_minor, str(invoice.due_date)) == (False, 395_00, "2099-01-31")
    assert (made["creditor_unique_value"], made["callbacks"]["custom"]) == (KEY_OF_ORDER, KEY_OF_ORDER)


async def test_in_draft_mode_the_invoice_waits_for_staff(platform: Platform) -> None:
    invoice = await first_try(platform, make_order())
    made = await the_one_invoice(platform)

    assert invoice.is_draft
    assert (made["state"], types(made), made["due_days"]) == ("Unattested", ["BillogramCreated"], 30)


async def test_an_edi_number_goes_with_the_invoice(platform: Platform) -> None:
    await first_try(platform, make_automatic_order(send_by="EDI", edi_number="7350001600000"))

    assert (await the_one_invoice(platform))["regional_sweden"]["edi"]["electronic_id"] == "7350001600000"


# Step 4: the key exists.


async def test_what_stands_under_our_key_already_is_found_and_adopted(platform: Platform) -> None:
    before = await first_try(platform, make_automatic_order())
    again = await first_try(platform, make_automatic_order())

    assert again == before
    await the_one_invoice(platform)


async def test_after_an_earlier_try_it_is_looked_for_before_anything_is_posted(platform: Platform) -> None:
    before = await first_try(platform, make_automatic_order())
    await platform.requests()
    again = await next_try(platform, make_automatic_order())

    assert again == before
    assert await platform.requests() == {"GET /billogram": 1, "GET /billogram/{id}": 1}


async def test_after_an_earlier_try_that_left_nothing_it_is_posted(platform: Platform) -> None:
    invoice = await next_try(platform, make_automatic_order())

    assert (await the_one_invoice(platform))["id"] == invoice.billogram_id


async def test_a_key_that_exists_but_is_not_found_yet_shows_up_later() -> None:
    async def answer(request: BaseRequest) -> Response:
        if request.method == "GET":
            return json_response({"status": "OK", "data": []})
        taken = {"message": "exists", "field": "creditor_unique_value"}
        return json_response({"status": "INVALID_PARAMETER", "data": taken}, status=400)

    with pytest.raises(PlatformUnavailable, match="INVALID_PARAMETER at creditor_unique_value"):
        async with answering(answer) as client:
            await make_invoice(client, make_order(), known_id=None, tried_before=False)


# Step 5: no answer.


@pytest.mark.parametrize("order", [make_automatic_order(), make_order()], ids=["automatic", "draft"])
async def test_an_invoice_whose_answer_was_lost_is_found_and_adopted(platform: Platform, order: InvoiceRequest) -> None:
    await platform.fails(fail_after_store=1.0)
    invoice = await first_try(platform, order)
    requests = await platform.requests()

    assert (await the_one_invoice(platform))["id"] == invoice.billogram_id
    assert requests == {"POST /billogram": 1, "GET /billogram": 1, "GET /billogram/{id}": 1}


async def test_while_the_platform_is_down_nothing_is_made(platform: Platform) -> None:
    await platform.fails(down=True)
    with pytest.raises(OutcomeUnknown, match="HTTP_503"):
        await first_try(platform, make_automatic_order())
    with pytest.raises(OutcomeUnknown, match="HTTP_503"):
        await next_try(platform, make_automatic_order())
    await platform.fails()

    assert await platform.invoices() == []


async def test_a_refused_connection_leaves_no_doubt_that_nothing_was_made(http: ClientSession) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(PlatformUnavailable) as raised:
            await make_invoice(client_at(url, http), make_order(), known_id=None, tried_before=False)

    assert type(raised.value) is PlatformUnavailable


# Adopting: only what is ours.


@pytest.mark.parametrize(
    "foreign",
    [
        make_order(customer_no=2),
        make_order(currency="NOK"),
        make_order(rows=(make_row(price_minor=317_00),)),
        make_order(rows=(make_row(), make_row())),
    ],
    ids=["customer", "currency", "price", "row"],
)
@pytest.mark.parametrize("tried_before", [True, False])
async def test_an_invoice_of_somebody_else_under_our_key_is_left_alone(
    platform: Platform, foreign: InvoiceRequest, tried_before: bool
) -> None:
    await platform.customer(2)
    theirs = await platform.client.create(invoice_body(foreign))
    with pytest.raises(KeyTaken):
        await make_invoice(platform.client, make_automatic_order(), known_id=None, tried_before=tried_before)
    left = await the_one_invoice(platform)

    assert (left["id"], left["state"]) == (theirs.id, "Unattested")


# Step 6: several.


async def test_of_several_invoices_under_our_key_none_is_adopted() -> None:
    """The sandbox keeps the key unique, so another server must tell of two."""

    async def answer(request: BaseRequest) -> Response:
        asked = [request.query[f"filter_{part}"] for part in ("type", "field", "value")]
        assert asked == ["field", "creditor_unique_value", KEY_OF_ORDER]
        found = [{"id": each, "creditor_unique_value": KEY_OF_ORDER} for each in ("Xk29fPw", "Yk30gQx")]
        return json_response({"status": "OK", "data": found})

    with pytest.raises(DuplicateRemote):
        async with answering(answer) as client:
            await make_invoice(client, make_order(), known_id=None, tried_before=True)


async def test_an_invoice_under_another_key_is_not_found_even_if_the_platform_lists_it() -> None:
    async def answer(_: BaseRequest) -> Response:
        return json_response({"data": [{"id": "Xk29fPw", "creditor_unique_value": "C-1:0:R0"}]})

    async with answering(answer) as client:
        assert await client.find(KEY_OF_ORDER) == []


# Step 7: refused.


async def test_a_letter_without_an_address_is_refused_with_place_and_words_and_makes_nothing(
    platform: Platform,
) -> None:
    await platform.customer(2, name="Lisa Provperson", address={})
    with pytest.raises(DataRefused) as raised:
        await first_try(platform, make_automatic_order(customer_no=2, send_by="Letter"))

    assert not isinstance(raised.value, KeyExists)
    assert (raised.value.field, raised.value.provider_message) == (
        "on_success.method",
        "invalid delivery method, address missing",
    )
    assert str(raised.value) == "INVALID_PARAMETER at on_success.method"
    assert await platform.invoices() == []


# Step 8: an adopted draft.


async def test_an_adopted_draft_is_sent_in_automatic_mode(platform: Platform) -> None:
    draft = await first_try(platform, make_order())
    invoice = await next_try(platform, make_automatic_order())

    assert (invoice.billogram_id, invoice.is_draft) == (draft.billogram_id, False)
    assert (await the_one_invoice(platform))["delivery_method"] == "Email"


async def test_an_adopted_draft_stays_one_in_draft_mode(platform: Platform) -> None:
    draft = await first_try(platform, make_order())

    assert await next_try(platform, make_order()) == draft


class Interrupted(BillogramClient):
    """Staff are faster: just before we send, they do `first`."""

    def __init__(self, platform: Platform, verb: str, command: str) -> None:
        super().__init__(platform.http, Credentials(f"{platform.url}/api/v2", USER, KEY))
        self.platform, self.verb, self.command = platform, verb, command

    async def send(self, billogram_id: str, method: str) -> Billogram:
        body = {"method": "Letter"}
        data(await self.platform.other.api(self.verb, f"/billogram/{billogram_id}{self.command}", body))
        return await super().send(billogram_id, method)


async def test_a_draft_that_staff_send_at_the_same_moment_is_read_again(platform: Platform) -> None:
    await first_try(platform, make_order())
    staff = Interrupted(platform, "POST", "/command/send")
    invoice = await make_invoice(staff, make_automatic_order(), known_id=None, tried_before=True)
    made = await the_one_invoice(platform)

    assert not invoice.is_draft
    assert (made["delivery_method"], types(made)) == ("Letter", ["BillogramCreated", "BillogramSent"])


async def test_a_draft_that_staff_delete_at_the_same_moment_is_gone(platform: Platform) -> None:
    """Else the next try would find nothing under the key and post it again."""
    await first_try(platform, make_order())
    staff = Interrupted(platform, "DELETE", "")
    with pytest.raises(RemoteGone):
        await make_invoice(staff, make_automatic_order(), known_id=None, tried_before=True)


# An invoice whose id is known.


async def test_a_known_invoice_is_read_and_never_posted_again(platform: Platform) -> None:
    before = await first_try(platform, make_automatic_order())
    await platform.requests()
    again = await next_try(platform, make_automatic_order(), before.billogram_id)

    assert again == before
    assert await platform.requests() == {"GET /billogram/{id}": 1}


async def test_a_known_invoice_that_was_deleted_is_gone_and_not_made_again(platform: Platform) -> None:
    draft = await first_try(platform, make_order())
    await platform.other.api("DELETE", f"/billogram/{draft.billogram_id}")
    with pytest.raises(RemoteGone):
        await next_try(platform, make_order(), draft.billogram_id)

    assert await platform.invoices() == []


async def test_a_known_invoice_is_not_gone_because_a_front_server_says_so() -> None:
    """Else a retry by a person would make a second invoice."""

    async def answer(_: BaseRequest) -> Response:
        return Response(status=404, text="<html>404 Not Found</html>")

    with pytest.raises(PlatformUnavailable):
        async with answering(answer) as client:
            await make_invoice(client, make_order(), known_id="Xk29fPw", tried_before=True)
