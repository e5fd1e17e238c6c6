"""What the API says of events and of the endpoint that is told of them."""

from typing import Any

from api.answers import Answer, Instant
from contracts.events import EventType


class EventAnswer(Answer):
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


class EndpointAnswer(Answer):
    """Times are real time, also on a test clock."""

    url: str | None
    delivered_seq: int | None = None
    """The highest number that the endpoint has taken."""
    waiting: int = 0
    oldest_waiting: OldestWaiting | None = None
    last_failure: DeliveryTrouble | None = None
    dead: list[int] = []
    """Events that were given up after 72 hours; at most the oldest 100."""


class ChangedEndpoint(EndpointAnswer):
    secret: str | None
    """The signing secret if this call made one; it is shown this once."""


class ReplayAnswer(Answer):
    queued: int
    next_after: int | None
    """Where to go on if there is more than one call queues; else null."""
