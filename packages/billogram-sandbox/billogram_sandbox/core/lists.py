"""Lists: query parameters for paging, filtering, and ordering as SQL over documents."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.envelope import ApiError, bad_query

Query = Mapping[str, str]
FILTER_TYPES = ("field", "field-prefix", "field-search", "special")
FILTER_PARAMETERS = ("filter_type", "filter_field", "filter_value")
PAGE_SIZE, PAGE_SIZE_MAX = 25, 100
SEARCH_WORDS_MAX = 20


@dataclass(frozen=True)
class Listing:
    """A table that can be listed, and its fields to filter and order by."""

    table: str
    filters: frozenset[str]
    orders: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True)
class Condition:
    sql: str = "1"
    values: tuple[object, ...] = ()


@dataclass(frozen=True)
class Page:
    size: int
    offset: int


def page_of(query: Query, default: int = PAGE_SIZE, most: int = PAGE_SIZE_MAX) -> Page:
    number = _whole_number(query, "page", 1, 10**9)
    size = _whole_number(query, "page_size", default, most)
    return Page(size, (number - 1) * size)


def condition_of(query: Query, listing: Listing) -> Condition:
    given = [name for name in FILTER_PARAMETERS if name in query]
    if not given:
        return Condition()
    for name in FILTER_PARAMETERS:
        if name not in query:
            raise ApiError(400, "MISSING_QUERY_PARAMETER", f"missing parameter: {name}", name)
    kind, field, value = (query[name] for name in FILTER_PARAMETERS)
    if kind == "special":
        return _search(listing, field, value)
    if field not in listing.filters:
        raise bad_query(f"cannot filter by {field}", "filter_field")
    if kind not in CONDITIONS_BY_TYPE:
        raise bad_query(f"unknown filter type: {kind}", "filter_type")
    return CONDITIONS_BY_TYPE[kind](field, value, listing)


def select_page(database: Database, listing: Listing, query: Query) -> tuple[int, list[Json]]:
    """The number of matches, and the documents of the requested page."""
    condition, part = condition_of(query, listing), page_of(query)
    total = database.scalar(f"SELECT count(*) FROM {listing.table} WHERE {condition.sql}", *condition.values)
    sql = f"SELECT doc FROM {listing.table} WHERE {condition.sql} ORDER BY {_order(query, listing)} LIMIT ? OFFSET ?"
    rows = database.rows(sql, *condition.values, part.size, part.offset)
    return total, [load(row["doc"]) for row in rows]


def direction(query: Query) -> str:
    wanted = query.get("order_direction", "asc")
    if wanted not in ("asc", "desc"):
        raise bad_query("order_direction is asc or desc", "order_direction")
    return wanted


def column(field: str, document: str = "doc") -> str:
    """Exactly the text of the indexes, else SQLite does not use them."""
    return f"json_extract({document}, '$.{field.replace(':', '.')}')"


def _order(query: Query, listing: Listing) -> str:
    field = query.get("order_field")
    if field is None:
        return f"seq {direction(query)}"
    if field not in listing.orders:
        raise bad_query(f"cannot order by {field}", "order_field")
    return f"{column(field)} {direction(query)}, seq"


def equals(field: str, value: str, listing: Listing) -> Condition:
    values = value.split(",") if field == "state" else [value]
    typed = [_typed(each) if field in listing.numbers else each for each in values]
    return Condition(f"{column(field)} IN ({', '.join('?' * len(typed))})", tuple(typed))


def _typed(text: str) -> str | int | float:
    """In SQLite a number equals no text."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,12}\.\d{1,6}", text) else text


def _prefix(field: str, value: str, _: Listing) -> Condition:
    return Condition(f"{column(field)} LIKE ? ESCAPE '\\'", (_escaped(value) + "%",))


def _contains(field: str, value: str, _: Listing) -> Condition:
    return Condition(f"{column(field)} LIKE ? ESCAPE '\\'", (f"%{_escaped(value)}%",))


CONDITIONS_BY_TYPE: dict[str, Callable[[str, str, Listing], Condition]] = {
    "field": equals,
    "field-prefix": _prefix,
    "field-search": _contains,
}


def _search(listing: Listing, field: str, value: str) -> Condition:
    """Each word must be in some field."""
    if field != "search":
        raise bad_query(f"unknown special query: {field}", "filter_field")
    conditions = [_in_any_field(word, listing) for word in value.split()[:SEARCH_WORDS_MAX]] or [
        _in_any_field("", listing)
    ]
    return Condition(
        " AND ".join(each.sql for each in conditions), tuple(value for each in conditions for value in each.values)
    )


def _in_any_field(word: str, listing: Listing) -> Condition:
    parts = [_contains(each, word, listing) for each in sorted(listing.filters)]
    return Condition(f"({' OR '.join(part.sql for part in parts)})", tuple(part.values[0] for part in parts))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _whole_number(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= most:
        raise bad_query(f"{name} is a number from 1 to {most}", name)
    return int(text)
