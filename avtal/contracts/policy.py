"""The account's policy: how its contracts behave. A contract may override fields; each change is a new version."""

from enum import StrEnum

from pydantic import Field, field_validator

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.frozen import Frozen


class Mode(StrEnum):
    """Whether a new invoice waits for staff as a draft, or is sent at once."""

    DRAFT = "draft"
    AUTOMATIC = "automatic"


class OnLoss(StrEnum):
    TURN_OFF = "turn_off"
    KEEP_ACCESS = "keep_access"


class RenewalWhileOff(StrEnum):
    HOLD = "hold"
    BILL = "bill"
    END = "end"


class Policy(Frozen):
    """Durations are civil days in the contract's zone, the work window is in minutes."""

    mode: Mode = Mode.DRAFT
    default_delivery_method: DeliveryMethod = DeliveryMethod.EMAIL
    placeholder_domains: tuple[str, ...] = ("sesa.my",)
    grace_days: int | None = Field(None, ge=0, le=365)
    on_loss: OnLoss = OnLoss.TURN_OFF
    payment_days: int = Field(30, ge=0, le=365)
    renewal_lead_days: int = Field(0, ge=0, le=90)
    work_window_minutes: int = Field(0, ge=0, le=1200)
    """Short enough that a window which opens at midnight closes on the same day, in any zone."""
    renewal_while_off: RenewalWhileOff = RenewalWhileOff.HOLD
    max_open_bills: int | None = Field(None, ge=1)

    @field_validator("placeholder_domains")
    @classmethod
    def _bare_domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for domain in domains:
            if not domain or "@" in domain or domain != domain.strip(" ."):
                raise ValueError(f"{domain!r} is not a domain; write it like sesa.my")
        return domains


def with_changes(policy: Policy, changes: dict[str, object]) -> Policy:
    """`policy` with `changes` applied. Raises pydantic's ValidationError for an invalid value."""
    return Policy.model_validate({**policy.model_dump(), **changes})
