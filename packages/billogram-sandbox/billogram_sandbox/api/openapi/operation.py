"""One operation of the OpenAPI document, and the parameters of lists."""

from collections.abc import Mapping
from typing import NamedTuple

from billogram_sandbox.api.openapi.schemas import ShapeType
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.lists import FILTER_TYPES, PAGE_SIZE, PAGE_SIZE_MAX, Listing

TEXT: Json = {"type": "string"}


class Operation(NamedTuple):
    """`response` includes the envelope. `query` and `headers` map parameters to JSON schemas; headers are required.
    `no_content` describes a possible 204. `names_another`: query or body names an object that may not exist."""

    summary: str
    response: ShapeType
    body: ShapeType | None = None
    query: Mapping[str, Json] = {}
    headers: Mapping[str, Json] = {}
    no_content: str = ""
    names_another: bool = False


def list_parameters(listing: Listing) -> dict[str, Json]:
    return {
        **page_parameters(listing.orders),
        "filter_type": {"enum": [*FILTER_TYPES]},
        "filter_field": {"enum": [*sorted(listing.filters), "search"]},
        "filter_value": TEXT,
    }


def page_parameters(
    orders: frozenset[str] = frozenset(), size: int = PAGE_SIZE, most: int = PAGE_SIZE_MAX
) -> dict[str, Json]:
    ordered: dict[str, Json] = {"order_field": {"enum": sorted(orders)}} if orders else {}
    return {
        "page": {"type": "integer", "minimum": 1, "maximum": 10**9, "default": 1},
        "page_size": {"type": "integer", "minimum": 1, "maximum": most, "default": size},
        **ordered,
        "order_direction": {"enum": ["asc", "desc"], "default": "asc"},
    }
