"""E-invoice registrations and direct debit mandates."""

import pytest

from billogram_sandbox_tests.client import Client, Json, Receiver, data, ok, problem

SWEDISH = "198802276322.SBF.SE"
IBAN = "DE89370400440532013000"


async def test_einvoice_registration_sends_a_callback(live: Client, receiver: Receiver) -> None:
    await live.customer(customer_no=41)
    none = await live.api("GET", "/customer/41/einvoice")
    registered = data(await live.api("POST", "/customer/41/einvoice", {"identifier": SWEDISH}))
    callback = (await receiver.holds(1))[0].body

    assert none.status_code == 404
    assert (registered["status"], registered["regional_italy"]) == ("registered", None)
    assert registered["regional_sweden"]["identifier"] == SWEDISH
    assert registered == data(await live.api("GET", "/customer/41/einvoice"))
    assert callback["callback_type"] == "EinvoiceRegistrationCreated"
    assert callback["recipient_information"] == {"customer_number": "41"}


@pytest.mark.parametrize(
    ("outcome", "kind", "more", "stays"),
    [
        ("registered", "EinvoiceRegistrationCreated", set(), 200),
        ("deleted", "EinvoiceRegistrationDeleted", set(), 404),
        (
            *("identification_mismatch", "EinvoiceRegistrationIdentificationMismatch"),
            {"operation", "existing_personal_identification_number", "new_personal_identification_number"},
            200,
        ),
        (
            *("recipient_not_found", "EinvoiceRegistrationRecipientNotFound"),
            {"operation", "personal_identification_number", "electronic_invoicing_address"},
            200,
        ),
    ],
)
async def test_each_bank_message_has_its_callback_type(
    live: Client, receiver: Receiver, outcome: str, kind: str, more: set[str], stays: int
) -> None:
    await live.customer()
    await live.api("POST", "/customer/1/einvoice", {"identifier": SWEDISH})
    await live.control("POST", "/customers/1/einvoice", {"outcome": outcome})
    callback = (await receiver.holds(2))[1]

    assert callback.body["callback_type"] == kind
    assert callback.body["recipient_information"].keys() == {"customer_number"} | more
    assert "billogram-signature" in callback.headers
    assert (await live.api("GET", "/customer/1/einvoice")).status_code == stays


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "INVALID_PARAMETER", "identifier", None)),
        ({"identifier": "1988.SBF"}, (400, "INVALID_PARAMETER", "identifier", None)),
        ({"identifier": SWEDISH, "pec": "a@b.it"}, (400, "INVALID_PARAMETER_COMBINATION", "identifier", None)),
        ({"fmi": SWEDISH}, (400, "UNKNOWN_PARAMETER", "fmi", [])),
    ],
)
async def test_invalid_registration_is_refused(client: Client, body: Json, refusal: tuple[object, ...]) -> None:
    await client.customer()

    assert problem(await client.api("POST", "/customer/1/einvoice", body)) == refusal


async def test_italian_registration_survives_a_new_customer_number(client: Client) -> None:
    await client.customer()
    italian = {"pec": "lisa@example.it", "codice_destinatario": "12345AB"}
    await client.api("POST", "/customer/1/einvoice", italian)
    await client.api("PUT", "/customer/1", {"customer_no": 7})

    assert data(await client.api("GET", "/customer/7/einvoice"))["regional_italy"] == italian
    assert problem(await client.api("POST", "/customer/1/einvoice", italian))[:2] == (404, "NOT_FOUND")


async def test_mandates_are_imported_listed_decided_and_cancelled(client: Client) -> None:
    await client.customer()
    body = {"customer_no": 1, "iban": "DE89 3704 0044 0532 0130 00", "signed_at": "2023-02-01 00:00:00"}
    made = data(await client.api("POST", "/sepa_dd_mandate", body))
    (listed,) = ok(await client.api("GET", "/payment_source", customer_no=1))["data"]
    active = await client.control("POST", f"/payment_sources/{listed['id']}", {"status": "ACTIVE"})
    cancelled = data(await client.api("POST", f"/payment_source/{listed['id']}/cancel"))

    assert made == {"customer_no": 1, "iban": IBAN, "signed_at": "2023-02-01T00:00:00.000000Z"}
    assert (listed["status"], listed["scheme"]) == ("PENDING", "SEPA_DIRECT_DEBIT")
    assert listed["details"].keys() == {"reference", "iban", "signed_at"}
    assert (active["status"], cancelled["status"]) == ("ACTIVE", "CANCELLED")


async def test_customer_without_mandates_is_a_204_with_content_type(client: Client) -> None:
    await client.customer()
    none = await client.api("GET", "/payment_source", customer_no=1)

    assert (none.status_code, none.content, none.headers["content-type"]) == (204, b"", "application/json")


@pytest.mark.parametrize(
    ("verb", "path", "body", "refusal"),
    [
        ("GET", "/payment_source", None, (400, "MISSING_QUERY_PARAMETER", "customer_no", None)),
        ("GET", "/payment_source?customer_no=lisa", None, (400, "INVALID_QUERY_PARAMETER", "customer_no", None)),
        ("GET", "/payment_source?customer_no=9", None, (404, "NOT_FOUND", None, None)),
        ("POST", "/payment_source/nobody/cancel", None, (404, "NOT_FOUND", None, None)),
        (
            *("POST", "/sepa_dd_mandate", {"customer_no": 1, "iban": f"{IBAN}1", "signed_at": "2023-02-01 00:00:00"}),
            (400, "INVALID_PARAMETER", "iban", None),
        ),
        (
            *("POST", "/sepa_dd_mandate", {"customer_no": 1, "iban": IBAN, "signed_at": "2023-02-01"}),
            (400, "INVALID_PARAMETER", "signed_at", None),
        ),
    ],
)
async def test_invalid_mandate_or_query_is_refused(
    client: Client, verb: str, path: str, body: Json | None, refusal: tuple[object, ...]
) -> None:
    await client.customer()
    response = await client.http.request(verb, f"/api/v2{path}", json=body, auth=("1234-abcdefgh", "0" * 32))

    assert problem(response) == refusal
