"""HTTP with Billogram, and nothing else: one call, one answer, one sorted error (API reference, sections 2 to 5)."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import httpx
import simplejson
from pydantic import ValidationError

from billogram.errors import (
    BillogramError,
    CredentialsRefused,
    DataRefused,
    KeyExists,
    NotFound,
    OutcomeUnknown,
    PlatformUnavailable,
    StateRefused,
)
from billogram.shapes import Billogram, CompactBillogram, Customer, ErrorBody, FoundBillograms, Shape

TIMEOUT_SECONDS = 6.0

S = TypeVar("S", bound=Shape)
Body = Mapping[str, Any]  # JSON with Decimals: built by the translator alone


class Credentials(NamedTuple):
    """Of one account; `url` is the base that ends in /api/v2."""

    url: str
    user: str
    key: str


def http_client() -> httpx.AsyncClient:
    """One connection pool for a whole process, shared by all accounts."""
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=httpx.Limits(max_connections=100))


class BillogramClient:
    """Billogram for one account. Every method may raise PlatformUnavailable or CredentialsRefused."""

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials) -> None:
        self._http = http
        self._base = credentials.url.rstrip("/")
        self._auth = httpx.BasicAuth(credentials.user, credentials.key)

    async def check_credentials(self) -> None:
        """Reads one customer at most, which is answered only to those who may."""
        await self._call("GET", "/customer", params={"page": "1", "page_size": "1"})

    async def create(self, body: Body) -> Billogram:
        """Raises KeyExists, DataRefused, OutcomeUnknown."""
        return _read(Billogram, await self._call("POST", "/billogram", body))

    async def get(self, billogram_id: str) -> Billogram:
        """Raises NotFound."""
        return _read(Billogram, await self._call("GET", f"/billogram/{billogram_id}"))

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

    async def _call(
        self, verb: str, path: str, body: Body | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        content = None if body is None else simplejson.dumps(body, use_decimal=True)
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if content else {})
        try:
            answer = await self._http.request(
                verb, self._base + path, content=content, params=params, headers=headers, auth=self._auth
            )
        except httpx.ConnectError as error:
            raise PlatformUnavailable("CONNECTION_REFUSED") from error
        except httpx.RequestError as error:
            raise OutcomeUnknown("NO_ANSWER") from error
        return _data_of(answer)


def _data_of(answer: httpx.Response) -> Any:
    if answer.status_code == httpx.codes.OK:
        try:
            return simplejson.loads(answer.content, use_decimal=True)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise OutcomeUnknown("ANSWER_NOT_UNDERSTOOD") from error
    raise error_of(answer.status_code, answer.content)


def _read(shape: type[S], data: Any) -> S:
    """What can't be read may have been carried out all the same. Its values stay out of the error."""
    try:
        return shape.model_validate(data)
    except ValidationError:
        raise OutcomeUnknown("ANSWER_NOT_UNDERSTOOD") from None


def error_of(http_status: int, content: bytes) -> BillogramError:
    """Section 4.2: the family of the HTTP code first, then the identifier; the body may be anything."""
    try:
        body = ErrorBody.model_validate_json(content)
    except ValidationError:
        body = ErrorBody(status=f"HTTP_{http_status}")
    field = ".".join(str(part) for part in (*(body.data.field_path or ()), body.data.field) if part is not None) or None
    return _class_of(http_status, body)(body.status, field, body.data.message)


def _class_of(http_status: int, body: ErrorBody) -> type[BillogramError]:
    if not 400 <= http_status < 500 or http_status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS):
        return OutcomeUnknown
    if http_status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and body.status != "PERMISSION_DENIED":
        return CredentialsRefused
    if http_status == httpx.codes.NOT_FOUND:
        # A front server's own 404 says nothing about the object.
        return NotFound if body.status == "NOT_FOUND" else OutcomeUnknown
    if body.status == "INVALID_OBJECT_STATE":
        return StateRefused
    return KeyExists if _is_taken(body) else DataRefused


def _is_taken(body: ErrorBody) -> bool:
    """Section 16: any complaint about the unique value means that it exists; a number may be wrong in other ways."""
    field, words = body.data.field, body.data.message
    return "creditor_unique_value" in (field or words) or (field == "customer_no" and "already exists" in words)
