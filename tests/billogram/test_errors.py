"""The classification of the platform's errors: whose fault each is, and whether a retry helps."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from aiohttp.web import BaseRequest, Response, json_response

from activities.retryable import retryable
from avtal.billogram.client import BillogramClient, error_of
from avtal.billogram.errors import (
    BillogramError,
    CredentialsRefused,
    DataRefused,
    KeyExists,
    NotFound,
    OutcomeUnknown,
    PlatformUnavailable,
    StateRefused,
)
from avtal.store.accounts.accounts import PlatformCredentials
from billogram_sandbox_tests.client import KEY, USER
from tests.billogram.builders import Platform, Respond, client_at, no_response, responding

HTML = b"<html><body><h1>Not what you wanted</h1></body></html>"


def body(status: str, data: dict[str, object] | None = None) -> bytes:
    return json.dumps({"status": status, "data": {"message": "Something about Anna"} | (data or {})}).encode()


@pytest.mark.parametrize(
    ("http_status", "identifier", "kind"),
    [
        (401, "MISSING_AUTH", CredentialsRefused),
        (401, "ANYTHING", CredentialsRefused),
        (403, "INVALID_AUTH", CredentialsRefused),
        (403, "PERMISSION_DENIED", DataRefused),
        (404, "NOT_FOUND", NotFound),
        (404, "NOT_AVAILABLE_YET", OutcomeUnknown),
        (405, "METHOD_NOT_ALLOWED", DataRefused),
        (400, "MISSING_QUERY_PARAMETER", DataRefused),
        (400, "INVALID_QUERY_PARAMETER", DataRefused),
        (400, "INVALID_PARAMETER", DataRefused),
        (400, "INVALID_PARAMETER_COMBINATION", DataRefused),
        (400, "READ_ONLY_PARAMETER", DataRefused),
        (400, "UNKNOWN_PARAMETER", DataRefused),
        (400, "INVALID_OBJECT_STATE", StateRefused),
        (418, "SOMETHING_NEW", DataRefused),
        (408, "TOO_SLOW", OutcomeUnknown),
        (429, "TOO_MANY", OutcomeUnknown),
        (500, "INTERNAL", OutcomeUnknown),
        (503, "AWAY", OutcomeUnknown),
    ],
)
def test_an_error_is_classified_by_status_and_code(
    http_status: int, identifier: str, kind: type[BillogramError]
) -> None:
    error = error_of(http_status, body(identifier))

    assert type(error) is kind
    assert (str(error), error.code, error.provider_message) == (identifier, identifier, "Something about Anna")


@pytest.mark.parametrize(
    ("http_status", "kind"),
    [
        (201, OutcomeUnknown),
        (302, OutcomeUnknown),
        (400, DataRefused),
        (401, CredentialsRefused),
        (403, CredentialsRefused),
        (404, OutcomeUnknown),
        (414, DataRefused),
        (429, OutcomeUnknown),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("content", [HTML, b"", b"\xff\xfe", b"[]", b'{"status": 7}', b'{"data": null}'])
def test_a_response_without_json_is_classified_by_status(
    http_status: int, kind: type[BillogramError], content: bytes
) -> None:
    error = error_of(http_status, content)

    assert type(error) is kind
    assert (str(error), error.field, error.provider_message) == (f"HTTP_{http_status}", None, "")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, None),
        ({"field": "customer_no", "field_path": None}, "customer_no"),
        ({"field": "item_id", "field_path": []}, "item_id"),
        ({"field": "title", "field_path": ["items", 2]}, "items.2.title"),
        ({"field_path": ["customer"]}, "customer"),
    ],
)
def test_the_field_includes_its_path(data: dict[str, object], field: str | None) -> None:
    assert error_of(400, body("INVALID_PARAMETER", data)).field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Billogram with same creditor_unique_value already exists", "creditor_unique_value"),
        ("whatever it says", "creditor_unique_value"),
        ("the creditor_unique_value has been used", None),
        ("Customer with same customer_no already exists", "customer_no"),
    ],
)
@pytest.mark.parametrize("http_status", [400, 409])
def test_a_taken_number_or_unique_value_is_key_exists(http_status: int, message: str, field: str | None) -> None:
    refused = body("INVALID_PARAMETER", {"message": message, "field": field})

    assert type(error_of(http_status, refused)) is KeyExists


@pytest.mark.parametrize(
    ("header", "retry_after_seconds"),
    [(0, 0.0), (7, 7.0), (None, None), ("soon", None), ("-1", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
async def test_retry_after_is_part_of_the_error(
    platform: Platform, header: object, retry_after_seconds: float | None
) -> None:
    await platform.fails(down=True, retry_after=header)
    with pytest.raises(OutcomeUnknown) as raised:
        await platform.client.find("c-1:0:r0")

    assert raised.value.retry_after_seconds == retry_after_seconds


async def test_a_retry_after_date_becomes_seconds(platform: Platform) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    await platform.fails(status_429=1.0, retry_after=date)
    with pytest.raises(OutcomeUnknown) as raised:
        await platform.client.find("c-1:0:r0")

    assert 290 <= (raised.value.retry_after_seconds or 0) <= 300


@pytest.mark.parametrize(("wanted", "delay"), [(None, None), (0.5, None), (30.0, 30), (86_400.0, 60)])
def test_an_attempt_is_retried_after_the_demanded_wait_up_to_a_minute(wanted: float | None, delay: int | None) -> None:
    failed = retryable(OutcomeUnknown("HTTP_503", retry_after_seconds=wanted))

    assert failed.next_retry_delay == (None if delay is None else timedelta(seconds=delay))
    assert (failed.message, failed.type) == ("HTTP_503", "OutcomeUnknown")


@pytest.mark.parametrize(("user", "key"), [(USER, "guess"), ("9999-abcdefgh", KEY), ("", "")])
async def test_wrong_credentials_are_refused(platform: Platform, user: str, key: str) -> None:
    other = BillogramClient(platform.http, PlatformCredentials(url=f"{platform.url}/api/v2", user=user, key=key))

    with pytest.raises(CredentialsRefused, match="INVALID_AUTH"):
        await other.find("c-1:0:r0")


async def too_late(_: BaseRequest) -> Response:
    await asyncio.sleep(0.3)
    return json_response({"data": {}})


async def cut_short(_: BaseRequest) -> Response:
    return Response(body=b'{"data"', headers={"Content-Length": "900"})


async def no_gzip(_: BaseRequest) -> Response:
    return Response(body=b"Anna", headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("respond", [no_response, too_late, cut_short, no_gzip])
async def test_no_response_leaves_the_outcome_unknown(respond: Respond, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avtal.billogram.transport.TIMEOUT_SECONDS", 0.1)
    async with responding(respond) as client:
        with pytest.raises(OutcomeUnknown, match=r"^NO_RESPONSE$"):
            await client.create({})


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://127.0.0.1:1"])
async def test_a_failed_connection_means_that_nothing_was_done(url: str, http: httpx.AsyncClient) -> None:
    with pytest.raises(PlatformUnavailable, match=r"^CONNECTION_REFUSED$") as raised:
        await client_at(url, http).create({})

    assert not isinstance(raised.value, OutcomeUnknown)


async def every_call(client: BillogramClient) -> None:
    for call in (
        lambda: client.create({}),
        lambda: client.get("Xk29fPw"),
        lambda: client.send("Xk29fPw", "Email"),
        lambda: client.find("c-1:0:r0"),
        lambda: client.create_customer({}),
        lambda: client.get_customer(1),
        lambda: client.update_customer(1, {}),
    ):
        with pytest.raises(OutcomeUnknown, match=r"^RESPONSE_NOT_UNDERSTOOD$") as raised:
            await call()

        assert "Anna" not in str(raised.value.__cause__)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HTML,
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"status": "OK"}',
        b'{"status": "OK", "data": null}',
        b'{"status": "OK", "data": "Anna"}',
        b'{"status": "OK", "data": {"id": "Anna"}}',
        b'{"status": "OK", "data": [{"name": "Anna"}]}',
        b'{"status": "OK", "data": {"id": "x", "customer_no": "Anna", "state": ',
    ],
)
async def test_an_unreadable_response_leaves_the_outcome_unknown(content: bytes) -> None:
    """The request may have been carried out. The response may contain personal data, so no error quotes it."""

    async def respond(_: BaseRequest) -> Response:
        return Response(body=content)

    async with responding(respond) as client:
        await every_call(client)
