"""The response bodies of the API, as clients see them; the command `avtal` reads them too."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, WithJsonSchema

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.events.events import EventType
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import Period
from avtal.contracts.policy import Policy

Item = TypeVar("Item")


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Instant = Annotated[
    datetime, PlainSerializer(rfc3339, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
Amount = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$")]


class ResponseBody(BaseModel):
    model_config = ConfigDict(frozen=True)


class FieldProblem(ResponseBody):
    pointer: str
    """A JSON pointer into the body, or / and the parameter's name."""
    detail: str


class ProblemBody(ResponseBody):
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class AccessChangeResponse(ResponseBody):
    at: Instant
    to: Access
    because: AccessReason


class AccessResponse(ResponseBody):
    access: Access
    since: Instant
    reason: AccessReason
    explanation: str
    next_change: AccessChangeResponse | None


class ParkedResponse(ResponseBody):
    bill_id: str
    reason: ParkedReason
    detail: str


class ContractResponse(ResponseBody):
    contract_id: str
    status: ContractStatus
    access: AccessResponse
    current_period: Period | None
    next_renewal: date | None
    open_bills: list[str]
    parked: list[ParkedResponse]
    policy_version: int
    terms: dict[str, object]


class BillResponse(ResponseBody):
    bill_id: str
    contract_id: str
    period: Period
    status: BillStatus
    status_text: str
    delivery_method: DeliveryMethod | None
    billogram_id: str | None
    invoice_no: int | None
    ocr_number: str | None
    invoice_url: str | None
    agreed_total: Amount
    total: Amount
    vat: Amount
    rounding: Amount
    remaining: Amount
    currency: str
    due_date: date | None
    grace_ends: date | None
    policy_version: int
    parked: ParkedResponse | None


class HistoryEntry(ResponseBody):
    at: Instant
    type: FactType
    source: str
    detail: dict[str, JsonValue]


class BillWithHistory(BillResponse):
    history: list[HistoryEntry]


class ContractAccess(ResponseBody):
    """One contract of a subscriber, with the products that it gives access to."""

    contract_id: str
    products: list[str]
    access: AccessResponse


class PreviewedChange(ResponseBody):
    """Access changes to `to` at `at`, because of the previewed policy."""

    contract_id: str
    at: Instant
    to: Access
    because: AccessReason
    bill_id: str | None


class PolicyPreview(ResponseBody):
    """The policy after the change, and the changes of access that it causes; none if it is for new bills only."""

    policy: Policy
    changes: list[PreviewedChange]


class EventResponse(ResponseBody):
    seq: int
    event_id: str
    at: Instant
    type: EventType
    contract_id: str
    bill_id: str | None
    data: dict[str, Any]  # Any: as docs/events.md describes it for each type


class FailedDelivery(ResponseBody):
    at: Instant
    detail: str
    """Such as HTTP 500, or a timeout."""


class WaitingEvent(ResponseBody):
    seq: int
    since: Instant


class EndpointResponse(ResponseBody):
    """Times are real time, also on a test clock."""

    url: str | None
    delivered_seq: int | None = None
    """The highest event number that the endpoint has accepted."""
    waiting: int = 0
    oldest_waiting: WaitingEvent | None = None
    last_failure: FailedDelivery | None = None
    dead: list[int] = []
    """Events that are dead after 72 hours of failed attempts; at most the oldest 100."""


class EndpointWithSecret(EndpointResponse):
    secret: str | None
    """The signing secret, if this call made one. It is never shown again."""


class ReplayResponse(ResponseBody):
    queued: int
    next_after: int | None
    """The `after` of the next call, if one call could not queue all; else null."""


class Page(ResponseBody, Generic[Item]):
    items: list[Item]
    next_cursor: str | None
