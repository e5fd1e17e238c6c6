"""What the API answers with, as its clients see it; also what the command `avtal` reads."""

from datetime import UTC, date, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, WithJsonSchema

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.delivery import DeliveryMethod
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


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class FieldProblem(Answer):
    pointer: str
    """A JSON pointer into the body, or / and the parameter's name."""
    detail: str


class ProblemBody(Answer):
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class AccessChangeResponse(Answer):
    at: Instant
    to: Access
    because: AccessReason


class AccessResponse(Answer):
    access: Access
    since: Instant
    reason: AccessReason
    explanation: str
    next_change: AccessChangeResponse | None


class ParkedResponse(Answer):
    bill_id: str
    reason: ParkedReason
    detail: str


class ContractResponse(Answer):
    contract_id: str
    status: ContractStatus
    access: AccessResponse
    current_period: Period | None
    next_renewal: date | None
    open_bills: list[str]
    parked: list[ParkedResponse]
    policy_version: int
    terms: dict[str, object]


class BillResponse(Answer):
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


class HistoryEntry(Answer):
    at: Instant
    type: FactType
    source: str
    detail: dict[str, JsonValue]


class BillWithHistory(BillResponse):
    history: list[HistoryEntry]


class ContractAccess(Answer):
    """One contract of a subscriber, with what it gives access to."""

    contract_id: str
    products: list[str]
    access: AccessResponse


class PreviewedChange(Answer):
    """Access goes `to` at `at`, which it would not have done without the change."""

    contract_id: str
    at: Instant
    to: Access
    because: AccessReason
    bill_id: str | None


class PolicyPreview(Answer):
    """The policy as it would be, and whose access it would change; none, if it is for new bills only."""

    policy: Policy
    changes: list[PreviewedChange]


class Page(Answer, Generic[Item]):
    items: list[Item]
    next_cursor: str | None
