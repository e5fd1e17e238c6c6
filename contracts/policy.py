"""The account's policy: how its contracts behave. A contract may override fields; each change is a new version."""

from enum import StrEnum

from pydantic import Field, field_validator

from contracts.delivery import DeliveryMethod
from contracts.record import Record


class Mode(StrEnum):
    """Whether a new invoice waits for staff, or is sent at once."""

    DRAFT = "draft"
    AUTOMATIC = "automatic"


class OnLoss(StrEnum):
    TURN_OFF = "turn_off"
    KEEP_ACCESS = "keep_access"


class RenewalWhileOff(StrEnum):
    HOLD = "hold"
    BILL = "bill"
    END = "end"


class Policy(Record):
    """Durations are civil days in the contract's zone, the work window is in minutes."""

    mode: Mode = Mode.DRAFT
    default_delivery_method: DeliveryMethod = DeliveryMethod.EMAIL
    placeholder_domains: tuple[str, ...] = ("sesa.my",)
    grace_days: int | None = None
    on_loss: OnLoss = OnLoss.TURN_OFF
    payment_days: int = Field(30, ge=0, le=365)
    renewal_lead_days: int = 0
    work_window_minutes: int = 0
    renewal_while_off: RenewalWhileOff = RenewalWhileOff.HOLD
    max_open_bills: int | None = None

    @field_validator("placeholder_domains")
    @classmethod
    def _bare_domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for domain in domains:
            if not domain or "@" in domain or domain != domain.strip(" ."):
                raise ValueError(f"{domain!r} is not a domain; write it like sesa.my")
        return domains


FIXED_FOR_NOW = frozenset(
    {
        "grace_days",
        "on_loss",
        "renewal_lead_days",
        "work_window_minutes",
        "renewal_while_off",
        "max_open_bills",
    }
)
"""Fields that take their default only, until the outcomes that they steer are built (docs/limits.md)."""


def not_yet_free(changes: dict[str, object]) -> list[str]:
    """The names in `changes` that are fixed for now and differ from their default."""
    defaults = Policy().model_dump(mode="json")
    return sorted(name for name in FIXED_FOR_NOW & changes.keys() if changes[name] != defaults[name])


def changed(policy: Policy, changes: dict[str, object]) -> Policy:
    """`policy` with `changes` laid over it. Raises pydantic's ValidationError for a value that no policy takes."""
    return Policy.model_validate({**policy.model_dump(), **changes})
