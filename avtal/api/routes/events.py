"""The event feed: everything that happened to the account's contracts, in the order of its numbers."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from avtal.api.authentication import Asking
from avtal.api.requests import SEQ_MAX
from avtal.api.responses.events import EventResponse
from avtal.api.responses.models import Page
from avtal.store.feed.events import events_after

router = APIRouter(tags=["events"])

Seq = Annotated[int, Field(ge=0, le=SEQ_MAX)]


class AskedEvents(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Seq = 0
    """The number of the last event that the caller has seen."""
    cursor: Seq | None = None
    """The next_cursor of the page before; goes before `after`, and means the same."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/events")
def feed(caller: Asking, asked: Annotated[AskedEvents, Query()]) -> Page[EventResponse]:
    """What happened after event number `after`. At the end of the feed next_cursor is null: ask again later, after the
    last number that came."""
    after = asked.after if asked.cursor is None else asked.cursor
    with caller.api.database.read() as session:
        found = events_after(session, caller.account, after, asked.limit + 1)
    page = found[: asked.limit]
    items = [EventResponse(**dict(event)) for event in page]
    return Page(items=items, next_cursor=str(page[-1].seq) if len(found) > asked.limit else None)
