"""What the API takes, beside a sale: ids in addresses, and the bodies of commands and changes."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema, with_config
from typing_extensions import TypedDict

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.policy import Mode, OnLoss, RenewalWhileOff
from avtal.contracts.schedule import CancelAt
from starter.json_schemas import policy_fields
from starter.sale import CIVIL_DATE, Identifier, Input

ContractId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
SubscriberId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
BillId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}:[0-9]{1,6}:r[0-9]{1,6}$")]

PLAIN_WORDS = ("period_end", "now")
SEQ_MAX = 2**31 - 1

WholeNumber = Annotated[int, Field(strict=True)]


def _cancel_at(value: object) -> object:
    if value in PLAIN_WORDS:
        return value
    try:
        if isinstance(value, str) and CIVIL_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # a day that no calendar has
    raise ValueError('give "period_end", "now", or a date like 2027-03-31, the first day without access')


class Cancellation(Input):
    at: Annotated[
        CancelAt,
        BeforeValidator(_cancel_at),
        WithJsonSchema({"anyOf": [{"enum": list(PLAIN_WORDS)}, {"type": "string", "format": "date"}]}),
    ]


class Waiver(Input):
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    """Kept in the bill's history."""


class EndpointChange(Input):
    url: Annotated[str, Field(max_length=2_000, json_schema_extra={"pattern": r"^https?://[!-~]+$"})] | None
    """Null takes the endpoint away."""
    new_secret: StrictBool = False


class Replay(Input):
    after: Annotated[int, Field(strict=True, ge=0, le=SEQ_MAX)]
    """The number of the last event that is not wanted again; 0 for all."""
    contract_id: Identifier | None = None


def _describe(schema: dict[str, Any]) -> None:  # Any: a JSON schema
    """With the limits that a change is held to after it was read."""
    schema["properties"] |= policy_fields()


@with_config(extra="forbid", json_schema_extra=_describe)
class PolicyChange(TypedDict, total=False):
    """Fields that are given are changed, the others keep their value."""

    mode: Mode
    default_delivery_method: DeliveryMethod
    placeholder_domains: list[str]
    grace_days: WholeNumber | None
    on_loss: OnLoss
    payment_days: WholeNumber
    renewal_lead_days: WholeNumber
    work_window_minutes: WholeNumber
    renewal_while_off: RenewalWhileOff
    max_open_bills: WholeNumber | None
    apply_to: Literal["new_bills", "open_bills"]
