"""Path parameters and request bodies of the API, except the sale and the change of a contract (`starter`)."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema, with_config
from typing_extensions import TypedDict

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.policy import Mode, OnLoss, RenewalWhileOff
from avtal.contracts.schedule import CancelAt
from starter.fields import CIVIL_DATE, Identifier, Input, policy_fields

ContractId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
SubscriberId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
BillId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}:[0-9]{1,6}:r[0-9]{1,6}$")]

CANCEL_KEYWORDS = ("period_end", "now")
SEQ_MAX = 2**31 - 1

WholeNumber = Annotated[int, Field(strict=True)]


def _cancel_at(value: object) -> object:
    if value in CANCEL_KEYWORDS:
        return value
    try:
        if isinstance(value, str) and CIVIL_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # such as 2027-02-30
    raise ValueError('give "period_end", "now", or a date like 2027-03-31, the first day without access')


class Cancellation(Input):
    at: Annotated[
        CancelAt,
        BeforeValidator(_cancel_at),
        WithJsonSchema({"anyOf": [{"enum": list(CANCEL_KEYWORDS)}, {"type": "string", "format": "date"}]}),
    ]


class Waiver(Input):
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    """Stored in the bill's history."""


class EndpointChange(Input):
    url: Annotated[str, Field(max_length=2_000, json_schema_extra={"pattern": r"^https?://[!-~]+$"})] | None
    """Null removes the endpoint."""
    new_secret: StrictBool = False


class Replay(Input):
    after: Annotated[int, Field(strict=True, ge=0, le=SEQ_MAX)]
    """Replays the events after this number; 0 replays all."""
    contract_id: Identifier | None = None


def _describe(schema: dict[str, Any]) -> None:  # Any: a JSON schema
    """Adds the limits, which `policy_errors` checks."""
    schema["properties"] |= policy_fields()


@with_config(extra="forbid", json_schema_extra=_describe)
class PolicyChange(TypedDict, total=False):
    """Omitted fields keep their value."""

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
