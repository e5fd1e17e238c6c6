"""What the API says of events and of the endpoint that is told of them."""

from typing import Any

from avtal.api.responses.models import Answer, Instant
from avtal.contracts.events.events import EventType


class EventResponse(Answer):
    seq: int
    event_id: str
    at: Instant
    type: EventType
    contract_id: str
    bill_id: str | None
    data: dict[str, Any]  # Any: as docs/events.md describes it for each type


class DeliveryTrouble(Answer):
    at: Instant
    detail: str
    """Such as HTTP 500, or that no answer came."""


class OldestWaiting(Answer):
    seq: int
    since: Instant


class EndpointResponse(Answer):
    """Times are real time, also on a test clock."""

    url: str | None
    delivered_seq: int | None = None
    """The highest number that the endpoint has taken."""
    waiting: int = 0
    oldest_waiting: OldestWaiting | None = None
    last_failure: DeliveryTrouble | None = None
    dead: list[int] = []
    """Events that were given up after 72 hours; at most the oldest 100."""


class ChangedEndpoint(EndpointResponse):
    secret: str | None
    """The signing secret if this call made one; it is shown this once."""


class ReplayResponse(Answer):
    queued: int
    next_after: int | None
    """Where to go on if there is more than one call queues; else null."""
