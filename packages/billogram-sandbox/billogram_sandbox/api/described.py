"""How one operation is described: what it does, takes, and answers, and the parameters of lists."""

from collections.abc import Mapping
from typing import NamedTuple

from billogram_sandbox.api.json_schemas import Shapes
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.lists import FILTER_TYPES, PAGE_SIZE, PAGE_SIZE_MAX, Listing

TEXT: Json = {"type": "string"}


class Operation(NamedTuple):
    """`answers` has the envelope around it; `query` and `headers` are parameters by name, with their JSON schemas, and
    the headers are required. `nothing` says when it is answered with 204, and `names_another` that its query or body
    names an object that there may not be."""

    does: str
    answers: Shapes
    takes: Shapes | None = None
    query: Mapping[str, Json] = {}
    headers: Mapping[str, Json] = {}
    nothing: str = ""
    names_another: bool = False


def listed(listing: Listing) -> dict[str, Json]:
    return {
        **paged(listing.orders),
        "filter_type": {"enum": [*FILTER_TYPES]},
        "filter_field": {"enum": [*sorted(listing.filters), "search"]},
        "filter_value": TEXT,
    }


def paged(orders: frozenset[str] = frozenset(), size: int = PAGE_SIZE, most: int = PAGE_SIZE_MAX) -> dict[str, Json]:
    ordered: dict[str, Json] = {"order_field": {"enum": sorted(orders)}} if orders else {}
    return {
        "page": {"type": "integer", "minimum": 1, "maximum": 10**9, "default": 1},
        "page_size": {"type": "integer", "minimum": 1, "maximum": most, "default": size},
        **ordered,
        "order_direction": {"enum": ["asc", "desc"], "default": "asc"},
    }
