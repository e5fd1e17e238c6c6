"""Lists in pages. A cursor is opaque to the caller: it names the last item of the page before."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from avtal.api.problems.problems import Problem, invalid
from starter.sale import FieldError

T = TypeVar("T")
IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,80}")


class Paging(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @property
    def after(self) -> str:
        """The id after which the page begins; empty for the first page."""
        return "" if self.cursor is None else _read(self.cursor)


AskedPage = Annotated[Paging, Query()]


def cut(items: Sequence[T], limit: int, identity: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """The page, and the cursor of the next one if `items` holds more."""
    page = items[:limit]
    return page, _cursor(identity(page[-1])) if len(items) > limit else None


def page_of(items: Sequence[T], asked: Paging, identity: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """A page of a short list that is read whole."""
    first = 0
    if asked.after:
        places = {identity(item): place for place, item in enumerate(items)}
        if asked.after not in places:
            raise _bad_cursor()
        first = places[asked.after] + 1
    return cut(items[first:], asked.limit, identity)


def _cursor(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    try:
        identity = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        raise _bad_cursor() from None
    if not IDENTIFIER.fullmatch(identity) or _cursor(identity) != cursor:
        raise _bad_cursor()
    return identity


def _bad_cursor() -> Problem:
    return invalid(FieldError("/cursor", "is none of ours: give the next_cursor of the page before, or none"))
