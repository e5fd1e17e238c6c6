"""One customer per subscriber, under our number, marked as ours in its notes.

What surprises, and what it would cost: the platform has one series of numbers for all who use the account, so that a
number of ours may be a stranger's. Taken for ours, the stranger's name and address would be overwritten.
"""

import pytest
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram.client import BillogramClient
from avtal.billogram.customers import STRANGERS_SKIPPED_MAX, put_customer
from avtal.billogram.errors import DataRefused, KeyExists, OutcomeUnknown, PlatformUnavailable
from avtal.contracts.bills.invoice import Subscriber
from billogram_sandbox_tests.client import Json, data, ok
from tests.billogram.builders import Platform, answering, make_subscriber, no_answer

NUMBER = 700_000
MARK = "avtal demo/s-7"


async def put(
    client: BillogramClient, subscriber: Subscriber | None = None, *, number: int = NUMBER, is_known: bool = False
) -> int:
    taken = number

    async def next_number() -> int:
        nonlocal taken
        taken += 1
        return taken

    subscriber = subscriber or make_subscriber()
    return await put_customer(client, subscriber, mark=MARK, number=number, is_known=is_known, next_number=next_number)


async def customers(platform: Platform) -> list[Json]:
    return list(ok(await platform.other.api("GET", "/customer", page_size=100))["data"])


async def test_a_subscriber_becomes_a_customer_with_our_number_and_mark(platform: Platform) -> None:
    number = await put(platform.client)
    (customer,) = await customers(platform)

    assert number == customer["customer_no"] == NUMBER
    assert (customer["notes"], customer["name"], customer["company_type"]) == (MARK, "Anna Lundberg", "individual")
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


async def test_what_is_no_email_address_is_not_handed_over(platform: Platform) -> None:
    await put(platform.client, make_subscriber(email="none@"))

    assert (await customers(platform))[0]["contact"]["email"] == ""


@pytest.mark.parametrize("notes", [None, "", "a reader of old", f"{MARK}8", f"x{MARK}", "avtal other/s-7"])
async def test_a_stranger_s_number_is_skipped_and_the_stranger_left_alone(
    platform: Platform, notes: str | None
) -> None:
    await platform.customer(NUMBER, name="Stranger", notes=notes)
    number = await put(platform.client)
    stranger, ours = await customers(platform)

    assert number == ours["customer_no"] == NUMBER + 1
    assert (stranger["name"], stranger["notes"]) == ("Stranger", notes or "")


async def test_a_customer_whose_answer_was_lost_is_found_to_be_ours(platform: Platform) -> None:
    await platform.fails(fail_after_store=1.0)
    with pytest.raises(OutcomeUnknown):
        await put(platform.client)
    await platform.fails()
    number = await put(platform.client)

    assert [customer["customer_no"] for customer in await customers(platform)] == [number] == [NUMBER]


async def test_a_customer_of_ours_from_an_earlier_try_gets_the_data_of_now(platform: Platform) -> None:
    await put(platform.client)
    number = await put(platform.client, make_subscriber(name="Anna Berg"))
    (customer,) = await customers(platform)

    assert (number, customer["name"]) == (NUMBER, "Anna Berg")


async def test_while_the_platform_is_down_no_number_is_used_up(platform: Platform) -> None:
    await platform.fails(down=True)
    with pytest.raises(OutcomeUnknown):
        await put(platform.client)
    await platform.fails()

    assert await put(platform.client) == NUMBER


async def test_a_customer_whose_request_was_lost_on_its_way_is_asked_for_again_later() -> None:
    async def answer(request: BaseRequest) -> Response:
        if request.method == "GET":
            return json_response({"status": "NOT_FOUND", "data": {"message": "no such customer"}}, status=404)
        return await no_answer(request)

    with pytest.raises(PlatformUnavailable) as raised:
        async with answering(answer) as client:
            await put(client)

    assert not isinstance(raised.value, OutcomeUnknown)


async def test_a_customer_is_still_ours_when_staff_have_added_a_line_to_its_notes(platform: Platform) -> None:
    await platform.customer(NUMBER, notes=f"called on Monday\n{MARK}")

    assert await put(platform.client) == NUMBER


async def test_the_skipping_of_strangers_is_bounded() -> None:
    asked: list[str] = []

    async def answer(request: BaseRequest) -> Response:
        asked.append(request.method)
        if request.method == "GET":
            return json_response({"data": {"customer_no": 1, "notes": None}})
        taken = {"message": "Customer with same customer_no already exists", "field": "customer_no"}
        return json_response({"status": "INVALID_PARAMETER", "data": taken}, status=400)

    with pytest.raises(PlatformUnavailable, match="CUSTOMER_NUMBERS_TAKEN"):
        async with answering(answer) as client:
            await put(client)

    assert asked == ["POST", "GET"] * STRANGERS_SKIPPED_MAX


async def test_a_bad_email_address_is_refused_with_its_place_and_out_of_the_error_s_text(platform: Platform) -> None:
    with pytest.raises(DataRefused) as raised:
        await platform.client.create_customer({"name": "Anna", "contact": {"email": "anna.lundberg@home"}})

    assert not isinstance(raised.value, KeyExists)
    assert (raised.value.field, str(raised.value)) == ("contact.email", "INVALID_PARAMETER at contact.email")
    assert "e-mail" in raised.value.provider_message


async def test_a_customer_number_that_is_wrong_in_another_way_is_not_taken(platform: Platform) -> None:
    with pytest.raises(DataRefused) as raised:
        await platform.client.create_customer({"name": "Anna", "customer_no": -1})

    assert not isinstance(raised.value, KeyExists)
    assert data(await platform.other.api("POST", "/customer", {"name": "Anna"}))["customer_no"] == 1
