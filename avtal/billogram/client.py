"""HTTP with Billogram, and nothing else: one call, one answer, one sorted error (API reference, sections 2 to 5)."""

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
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

TIMEOUT_SECONDS = 6.0
"""To connect, and then between any two pieces of the answer."""
KEPT_SECONDS = 4.0
"""Shorter than servers keep a connection that nobody uses, so that no request meets its end."""
PAGE_SIZE = 100
EVENTS_SAFE_MAX = 90
"""A billogram shows its latest 100 events; from here on all of them are asked for (WEB-6)."""
EVENT_PAGES_MAX = 100
REQUESTS = Histogram(
    "avtal_billogram_request_seconds", "Requests to Billogram by verb and outcome", ["verb", "outcome"]
)

S = TypeVar("S", bound=Shape)
Body = Mapping[str, Any]  # JSON with Decimals: built by the translator alone


class Credentials(NamedTuple):
    """Of one account; `url` is the base that ends in /api/v2."""

    url: str
    user: str
    key: str


def http_client() -> aiohttp.ClientSession:
    """One connection pool for a whole process, shared by all accounts. Made where an event loop runs."""
    timeout = aiohttp.ClientTimeout(connect=TIMEOUT_SECONDS, sock_read=TIMEOUT_SECONDS)
    pool = aiohttp.TCPConnector(limit=100, keepalive_timeout=KEPT_SECONDS, ssl=httpx.create_ssl_context())
    return aiohttp.ClientSession(connector=pool, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


@cache
def _proxy_for(url: str) -> str | None:
    """From HTTP_PROXY, HTTPS_PROXY, and NO_PROXY. The library would read them anew for each request."""
    where = urlsplit(url)
    return None if proxy_bypass(where.hostname or "") else getproxies().get(where.scheme)


class BillogramClient:
    """Billogram for one account. Every method may raise PlatformUnavailable or CredentialsRefused."""

    def __init__(self, http: aiohttp.ClientSession, credentials: Credentials) -> None:
        self._http = http
        self._base = credentials.url.rstrip("/")
        self._proxy = _proxy_for(self._base)
        self._headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {b64encode(f'{credentials.user}:{credentials.key}'.encode()).decode()}",
        }

    async def check_credentials(self) -> None:
        """Reads one customer at most, which is answered only to those who may."""
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
        """`query` filters and orders (section 5)."""
        paging = {"page": str(page), "page_size": str(PAGE_SIZE)}
        return _read(BillogramPage, await self._ask("GET", "/billogram", params={**paging, **query}))

    async def send(self, billogram_id: str, method: str) -> Billogram:
        """Raises StateRefused, DataRefused, NotFound, OutcomeUnknown."""
        answer = await self._call("POST", f"/billogram/{billogram_id}/command/send", {"method": method})
        return _read(Billogram, answer)

    async def delete(self, billogram_id: str) -> None:
        """A draft. Raises StateRefused, NotFound, OutcomeUnknown."""
        await self._call("DELETE", f"/billogram/{billogram_id}")

    async def credit(self, billogram_id: str) -> Billogram:
        """All of it (section 11). Raises StateRefused, DataRefused, NotFound, OutcomeUnknown."""
        answer = await self._call("POST", f"/billogram/{billogram_id}/command/credit", {"mode": "full"})
        return _read(Billogram, answer)

    async def find(self, key: str) -> list[CompactBillogram]:
        """The billograms whose `creditor_unique_value` is `key` (section 16)."""
        filters = {"filter_type": "field", "filter_field": "creditor_unique_value", "filter_value": key}
        answer = await self._call("GET", "/billogram", params={"page": "1", "page_size": "10", **filters})
        found = _read(FoundBillograms, {"billograms": answer}).billograms
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
            told = _read(EventPage, await self._ask("GET", "/billogram_event", params={**paging, **query})).data
            events += told
            if len(told) < PAGE_SIZE:
                break
        return events

    async def _call(
        self, verb: str, path: str, body: Body | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        return (await self._ask(verb, path, body, params))["data"]

    async def _ask(
        self, verb: str, path: str, body: Body | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        headers, content = self._headers, None
        if body is not None:
            headers, content = headers | {"Content-Type": "application/json"}, simplejson.dumps(body, use_decimal=True)
        with _observed(verb, path):
            try:
                async with self._http.request(
                    verb,
                    self._base + path,
                    data=content,
                    params=params,
                    headers=headers,
                    proxy=self._proxy,
                    allow_redirects=False,
                ) as answer:
                    return _envelope_of(answer, await answer.read())
            except aiohttp.ClientConnectorError as error:
                raise PlatformUnavailable("CONNECTION_REFUSED") from error
            except (aiohttp.ClientError, TimeoutError) as error:
                raise OutcomeUnknown("NO_ANSWER") from error


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


def _envelope_of(answer: aiohttp.ClientResponse, content: bytes) -> Any:
    """Section 3: an object with `data` in it."""
    if answer.status == HTTPStatus.OK:
        try:
            envelope = simplejson.loads(content, use_decimal=True)
            envelope["data"]
            return envelope
        except (ValueError, KeyError, TypeError) as error:
            raise OutcomeUnknown("ANSWER_NOT_UNDERSTOOD") from error
    raise error_of(answer.status, content, _seconds(answer.headers.get("Retry-After")))


def _read(shape: type[S], data: Any) -> S:
    """What can't be read may have been carried out all the same. Its values stay out of the error."""
    try:
        return shape.model_validate(data)
    except ValidationError:
        raise OutcomeUnknown("ANSWER_NOT_UNDERSTOOD") from None


def error_of(http_status: int, content: bytes, retry_after_seconds: float | None = None) -> BillogramError:
    """Section 4.2: the family of the HTTP code first, then the identifier; the body may be anything."""
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
    """Section 16: any complaint about the unique value means that it exists; a number may be wrong in other ways."""
    field, message = body.data.field, body.data.message
    return "creditor_unique_value" in (field or message) or (field == "customer_no" and "already exists" in message)
