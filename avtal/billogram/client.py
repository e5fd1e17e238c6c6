"""Billogram's API over HTTP: one method per endpoint, one typed result or one classified error."""

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import httpx
import simplejson
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from pydantic import ValidationError

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
from avtal.billogram.shapes import (
    Billogram,
    BillogramPage,
    CompactBillogram,
    Customer,
    ErrorBody,
    Event,
    EventPage,
    FoundBillograms,
    Shape,
)
from avtal.tracing import span

PAGE_SIZE = 100
EVENTS_SAFE_MAX = 90
"""A billogram shows its latest 100 events; from this number on, all of them are fetched (WEB-6)."""
EVENT_PAGES_MAX = 100
REQUESTS = Histogram(
    "avtal_billogram_request_seconds", "Requests to Billogram by verb and outcome", ["verb", "outcome"]
)

S = TypeVar("S", bound=Shape)
Body = Mapping[str, Any]  # JSON with Decimals: built by the translator alone


class Credentials(Protocol):
    """One account's credentials; `url` is the base that ends in /api/v2."""

    @property
    def url(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def key(self) -> str: ...


class BillogramClient:
    """Billogram for one account. Every method may raise PlatformUnavailable or CredentialsRefused."""

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials) -> None:
        self._http = http
        self._base = credentials.url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {b64encode(f'{credentials.user}:{credentials.key}'.encode()).decode()}",
        }

    async def check_credentials(self) -> None:
        """Reads at most one customer, which needs valid credentials."""
        await self._call("GET", "/customer", params={"page": "1", "page_size": "1"})

    async def create(self, body: Body) -> Billogram:
        """Raises KeyExists, DataRefused, OutcomeUnknown."""
        return _read(Billogram, await self._call("POST", "/billogram", body))

    async def get(self, billogram_id: str) -> Billogram:
        """With all its events. Raises NotFound."""
        billogram = _read(Billogram, await self._call("GET", f"/billogram/{billogram_id}"))
        if len(billogram.events) < EVENTS_SAFE_MAX:
            return billogram
        return billogram.model_copy(update={"events": await self._events(billogram_id)})

    async def list_page(self, page: int, query: Mapping[str, str]) -> BillogramPage:
        """`query` holds the filter and the order."""
        paging = {"page": str(page), "page_size": str(PAGE_SIZE)}
        return _read(BillogramPage, await self._request("GET", "/billogram", params={**paging, **query}))

    async def send(self, billogram_id: str, method: str) -> Billogram:
        """Raises StateRefused, DataRefused, NotFound, OutcomeUnknown."""
        response = await self._call("POST", f"/billogram/{billogram_id}/command/send", {"method": method})
        return _read(Billogram, response)

    async def delete(self, billogram_id: str) -> None:
        """A draft. Raises StateRefused, NotFound, OutcomeUnknown."""
        await self._call("DELETE", f"/billogram/{billogram_id}")

    async def credit(self, billogram_id: str) -> Billogram:
        """Credits the whole invoice. Raises StateRefused, DataRefused, NotFound, OutcomeUnknown."""
        response = await self._call("POST", f"/billogram/{billogram_id}/command/credit", {"mode": "full"})
        return _read(Billogram, response)

    async def find(self, key: str) -> list[CompactBillogram]:
        """The billograms whose `creditor_unique_value` is `key`."""
        filters = {"filter_type": "field", "filter_field": "creditor_unique_value", "filter_value": key}
        response = await self._call("GET", "/billogram", params={"page": "1", "page_size": "10", **filters})
        found = _read(FoundBillograms, {"billograms": response}).billograms
        return [billogram for billogram in found if billogram.creditor_unique_value in (key, None)]

    async def create_customer(self, body: Body) -> Customer:
        """Raises KeyExists, DataRefused, OutcomeUnknown."""
        return _read(Customer, await self._call("POST", "/customer", body))

    async def get_customer(self, customer_no: int) -> Customer:
        """Raises NotFound."""
        return _read(Customer, await self._call("GET", f"/customer/{customer_no}"))

    async def update_customer(self, customer_no: int, body: Body) -> Customer:
        """Raises DataRefused, NotFound."""
        return _read(Customer, await self._call("PUT", f"/customer/{customer_no}", body))

    async def _events(self, billogram_id: str) -> list[Event]:
        """The oldest first, so that what happens meanwhile comes last."""
        query = {"filter_type": "field", "filter_field": "billogram_id", "filter_value": billogram_id}
        events: list[Event] = []
        for page in range(1, EVENT_PAGES_MAX + 1):
            paging = {"page": str(page), "page_size": str(PAGE_SIZE)}
            fetched = _read(EventPage, await self._request("GET", "/billogram_event", params={**paging, **query})).data
            events += fetched
            if len(fetched) < PAGE_SIZE:
                break
        return events

    async def _call(
        self, verb: str, path: str, body: Body | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        return (await self._request(verb, path, body, params))["data"]

    async def _request(
        self, verb: str, path: str, body: Body | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        headers, content = self._headers, None
        if body is not None:
            headers, content = headers | {"Content-Type": "application/json"}, simplejson.dumps(body, use_decimal=True)
        with _observed(verb, path):
            try:
                response = await self._http.request(
                    verb, self._base + path, content=content, params=params, headers=headers
                )
            except httpx.ConnectError as error:
                raise PlatformUnavailable("CONNECTION_REFUSED") from error
            except httpx.HTTPError as error:
                raise OutcomeUnknown("NO_RESPONSE") from error
            return _envelope_of(response)


@contextmanager
def _observed(verb: str, path: str) -> Iterator[None]:
    began, outcome = time.monotonic(), "mistake"
    try:
        with span(f"Billogram {verb} /{path.split('/')[1]}", kind=SpanKind.CLIENT):
            yield
        outcome = "ok"
    except BillogramError as error:
        outcome = type(error).__name__
        raise
    finally:
        REQUESTS.labels(verb, outcome).observe(time.monotonic() - began)


def _envelope_of(response: httpx.Response) -> Any:  # Any: JSON with Decimals
    """An object with `data` in it. Raises BillogramError."""
    if response.status_code != HTTPStatus.OK:
        raise error_of(response.status_code, response.content, _seconds(response.headers.get("Retry-After")))
    try:
        envelope = simplejson.loads(response.content, use_decimal=True)
        envelope["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise OutcomeUnknown("RESPONSE_NOT_UNDERSTOOD") from error
    return envelope


def _read(shape: type[S], data: Any) -> S:
    """What can't be read may have been carried out anyway. Its values stay out of the error."""
    try:
        return shape.model_validate(data)
    except ValidationError:
        raise OutcomeUnknown("RESPONSE_NOT_UNDERSTOOD") from None


def error_of(http_status: int, content: bytes, retry_after_seconds: float | None = None) -> BillogramError:
    """Classified by the family of the status code first, then by the error's identifier; the body may be anything."""
    try:
        body = ErrorBody.model_validate_json(content)
    except ValidationError:
        body = ErrorBody(status=f"HTTP_{http_status}")
    field = ".".join(str(part) for part in (*(body.data.field_path or ()), body.data.field) if part is not None) or None
    return _class_of(http_status, body)(body.status, field, body.data.message, retry_after_seconds)


def _seconds(retry_after: str | None) -> float | None:
    """The header Retry-After is a number of seconds, or a date; what is neither says nothing."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None


def _class_of(http_status: int, body: ErrorBody) -> type[BillogramError]:
    if not 400 <= http_status < 500 or http_status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS):
        return OutcomeUnknown
    if http_status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and body.status != "PERMISSION_DENIED":
        return CredentialsRefused
    if http_status == HTTPStatus.NOT_FOUND:
        # A front server's own 404 says nothing about the object.
        return NotFound if body.status == "NOT_FOUND" else OutcomeUnknown
    if body.status == "INVALID_OBJECT_STATE":
        return StateRefused
    return KeyExists if _is_taken(body) else DataRefused


def _is_taken(body: ErrorBody) -> bool:
    """Any error about the unique value means that it exists; a customer number can be wrong in other ways."""
    field, message = body.data.field, body.data.message
    return "creditor_unique_value" in (field or message) or (field == "customer_no" and "already exists" in message)
