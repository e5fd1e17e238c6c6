"""Pages of a list. A cursor is opaque to clients: it encodes the id of the last item of the page before."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from avtal.api.problems.problems import Problem, invalid
from starter.errors import FieldError

T = TypeVar("T")
IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,80}")


class PageParameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @property
    def after(self) -> str:
        """The page starts after this id; empty for the first page."""
        return "" if self.cursor is None else _decode(self.cursor)


PageQuery = Annotated[PageParameters, Query()]


def page_of(items: Sequence[T], limit: int, id_of: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """The first `limit` items, and the cursor of the next page if there are more."""
    page = items[:limit]
    return page, _encode(id_of(page[-1])) if len(items) > limit else None


def page_of_all(
    items: Sequence[T], parameters: PageParameters, id_of: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """The requested page of `items`, which are the whole list."""
    first = 0
    if parameters.after:
        indexes = {id_of(item): index for index, item in enumerate(items)}
        if parameters.after not in indexes:
            raise _invalid_cursor()
        first = indexes[parameters.after] + 1
    return page_of(items[first:], parameters.limit, id_of)


def _encode(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        identity = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        raise _invalid_cursor() from None
    if not IDENTIFIER.fullmatch(identity) or _encode(identity) != cursor:
        raise _invalid_cursor()
    return identity


def _invalid_cursor() -> Problem:
    return invalid(FieldError("/cursor", "is not valid: give the next_cursor of the page before, or none"))
