"""The event feed: everything that happened to the account's contracts, ordered by number."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from avtal.api.authentication import CurrentCaller
from avtal.api.requests import SEQ_MAX
from avtal.api.responses.bodies import EventResponse, Page
from avtal.store.feed.events import events_after

router = APIRouter(tags=["events"])

Seq = Annotated[int, Field(ge=0, le=SEQ_MAX)]


class FeedParameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Seq = 0
    """The number of the last event that the client has seen."""
    cursor: Seq | None = None
    """The next_cursor of the page before: the same as `after`, and wins over it."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/events")
def list_events(caller: CurrentCaller, parameters: Annotated[FeedParameters, Query()]) -> Page[EventResponse]:
    """The events after number `after`. At the end of the feed next_cursor is null: poll again with the last number."""
    after = parameters.after if parameters.cursor is None else parameters.cursor
    with caller.api.database.read() as session:
        found = events_after(session, caller.account, after, parameters.limit + 1)
    page = found[: parameters.limit]
    items = [EventResponse(**dict(event)) for event in page]
    return Page(items=items, next_cursor=str(page[-1].seq) if len(found) > parameters.limit else None)
