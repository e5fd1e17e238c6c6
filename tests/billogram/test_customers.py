"""One customer per subscriber, under our number, marked as ours in its notes.

All users of a platform account share one series of numbers, so a number of ours may belong to a foreign customer. If it
were adopted, that customer's name and address would be overwritten.
"""

import pytest
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram.client import BillogramClient
from avtal.billogram.customers import SKIPPED_NUMBERS_MAX, put_customer
from avtal.billogram.errors import DataRefused, KeyExists, OutcomeUnknown, PlatformUnavailable
from avtal.contracts.bills.invoice import Subscriber
from billogram_sandbox_tests.client import Json, data, ok
from tests.billogram.builders import Platform, make_subscriber, no_response, responding

NUMBER = 700_000
NOTE = "avtal demo/s-7"


async def put(
    client: BillogramClient, subscriber: Subscriber | None = None, *, number: int = NUMBER, is_known: bool = False
) -> int:
    taken = number

    async def next_number() -> int:
        nonlocal taken
        taken += 1
        return taken

    subscriber = subscriber or make_subscriber()
    return await put_customer(client, subscriber, note=NOTE, number=number, is_known=is_known, next_number=next_number)


async def customers(platform: Platform) -> list[Json]:
    return list(ok(await platform.other.api("GET", "/customer", page_size=100))["data"])


async def test_a_customer_gets_our_number_and_note(platform: Platform) -> None:
    number = await put(platform.client)
    (customer,) = await customers(platform)

    assert number == customer["customer_no"] == NUMBER
    assert (customer["notes"], customer["name"], customer["company_type"]) == (NOTE, "Anna Lundberg", "individual")
    assert (customer["contact"]["email"], customer["contact"]["phone"]) == ("anna@example.com", "0700000000")
    assert (customer["address"]["street_address"], customer["address"]["zipcode"]) == ("Storgatan 1", "11152")


async def test_a_known_customer_is_updated_and_not_created_again(platform: Platform) -> None:
    await put(platform.client)
    await platform.requests()
    number = await put(platform.client, make_subscriber(name="Anna Berg", email=None), is_known=True)
    requests = await platform.requests()
    (customer,) = await customers(platform)

    assert (number, requests) == (NUMBER, {"PUT /customer/{id}": 1})
    assert (customer["name"], customer["contact"]["email"]) == ("Anna Berg", "")


async def test_an_invalid_email_address_is_not_sent(platform: Platform) -> None:
    await put(platform.client, make_subscriber(email="none@"))

    assert (await customers(platform))[0]["contact"]["email"] == ""


@pytest.mark.parametrize("notes", [None, "", "a former subscriber", f"{NOTE}8", f"x{NOTE}", "avtal other/s-7"])
async def test_the_number_of_a_foreign_customer_is_skipped(platform: Platform, notes: str | None) -> None:
    await platform.customer(NUMBER, name="Foreign", notes=notes)
    number = await put(platform.client)
    foreign, ours = await customers(platform)

    assert number == ours["customer_no"] == NUMBER + 1
    assert (foreign["name"], foreign["notes"]) == ("Foreign", notes or "")


async def test_a_customer_whose_response_was_lost_is_found(platform: Platform) -> None:
    await platform.fails(fail_after_store=1.0)
    with pytest.raises(OutcomeUnknown):
        await put(platform.client)
    await platform.fails()
    number = await put(platform.client)

    assert [customer["customer_no"] for customer in await customers(platform)] == [number] == [NUMBER]


async def test_a_customer_of_an_earlier_attempt_gets_the_current_data(platform: Platform) -> None:
    await put(platform.client)
    number = await put(platform.client, make_subscriber(name="Anna Berg"))
    (customer,) = await customers(platform)

    assert (number, customer["name"]) == (NUMBER, "Anna Berg")


async def test_an_outage_uses_no_number(platform: Platform) -> None:
    await platform.fails(down=True)
    with pytest.raises(OutcomeUnknown):
        await put(platform.client)
    await platform.fails()

    assert await put(platform.client) == NUMBER


async def test_a_lost_customer_request_is_retried_later() -> None:
    async def respond(request: BaseRequest) -> Response:
        if request.method == "GET":
            return json_response({"status": "NOT_FOUND", "data": {"message": "no such customer"}}, status=404)
        return await no_response(request)

    with pytest.raises(PlatformUnavailable) as raised:
        async with responding(respond) as client:
            await put(client)

    assert not isinstance(raised.value, OutcomeUnknown)


async def test_staff_may_add_lines_to_the_notes(platform: Platform) -> None:
    await platform.customer(NUMBER, notes=f"called on Monday\n{NOTE}")

    assert await put(platform.client) == NUMBER


async def test_the_number_of_skipped_customers_is_limited() -> None:
    requested: list[str] = []

    async def respond(request: BaseRequest) -> Response:
        requested.append(request.method)
        if request.method == "GET":
            return json_response({"data": {"customer_no": 1, "notes": None}})
        taken = {"message": "Customer with same customer_no already exists", "field": "customer_no"}
        return json_response({"status": "INVALID_PARAMETER", "data": taken}, status=400)

    with pytest.raises(PlatformUnavailable, match="CUSTOMER_NUMBERS_TAKEN"):
        async with responding(respond) as client:
            await put(client)

    assert requested == ["POST", "GET"] * SKIPPED_NUMBERS_MAX


async def test_a_refused_email_address_is_named_by_field_only(platform: Platform) -> None:
    with pytest.raises(DataRefused) as raised:
        await platform.client.create_customer({"name": "Anna", "contact": {"email": "anna.lundberg@home"}})

    assert not isinstance(raised.value, KeyExists)
    assert (raised.value.field, str(raised.value)) == ("contact.email", "INVALID_PARAMETER at contact.email")
    assert "e-mail" in raised.value.provider_message


async def test_an_invalid_customer_number_is_not_a_taken_one(platform: Platform) -> None:
    with pytest.raises(DataRefused) as raised:
        await platform.client.create_customer({"name": "Anna", "customer_no": -1})

    assert not isinstance(raised.value, KeyExists)
    assert data(await platform.other.api("POST", "/customer", {"name": "Anna"}))["customer_no"] == 1
