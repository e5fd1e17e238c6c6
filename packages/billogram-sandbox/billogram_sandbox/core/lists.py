"""Lists: paging, one filter at a time, ordering; the query parameters become SQL over the documents."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.envelope import Problem, bad_query

Query = Mapping[str, str]
FILTER_TYPES = ("field", "field-prefix", "field-search", "special")
FILTER = ("filter_type", "filter_field", "filter_value")
PAGE_SIZE, PAGE_SIZE_MAX = 25, 100
WORDS_MAX = 20


@dataclass(frozen=True)
class Listing:
    """One class that can be listed: its table, and the fields to filter and order by."""

    table: str
    filters: frozenset[str]
    orders: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True)
class Where:
    sql: str = "1"
    values: tuple[object, ...] = ()


@dataclass(frozen=True)
class Page:
    size: int
    offset: int


def page(query: Query, usual: int = PAGE_SIZE, most: int = PAGE_SIZE_MAX) -> Page:
    number = _whole(query, "page", 1, 10**9)
    size = _whole(query, "page_size", usual, most)
    return Page(size, (number - 1) * size)


def where(query: Query, listing: Listing) -> Where:
    given = [name for name in FILTER if name in query]
    if not given:
        return Where()
    for name in FILTER:
        if name not in query:
            raise Problem(400, "MISSING_QUERY_PARAMETER", f"missing parameter: {name}", name)
    kind, field, value = (query[name] for name in FILTER)
    if kind == "special":
        return _search(listing, field, value)
    if field not in listing.filters:
        raise bad_query(f"cannot filter by {field}", "filter_field")
    if kind not in KINDS:
        raise bad_query(f"unknown filter type: {kind}", "filter_type")
    return KINDS[kind](field, value, listing)


def found(database: Database, listing: Listing, query: Query) -> tuple[int, list[Json]]:
    """How many match, and the documents of the page asked for."""
    condition, part = where(query, listing), page(query)
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
    """The same text as in the indexes, or SQLite would not use them."""
    return f"json_extract({document}, '$.{field.replace(':', '.')}')"


def _order(query: Query, listing: Listing) -> str:
    field = query.get("order_field")
    if field is None:
        return f"seq {direction(query)}"
    if field not in listing.orders:
        raise bad_query(f"cannot order by {field}", "order_field")
    return f"{column(field)} {direction(query)}, seq"


def exact(field: str, value: str, listing: Listing) -> Where:
    values = value.split(",") if field == "state" else [value]
    typed = [_typed(each) if field in listing.numbers else each for each in values]
    return Where(f"{column(field)} IN ({', '.join('?' * len(typed))})", tuple(typed))


def _typed(text: str) -> str | int | float:
    """SQLite compares a number with numbers only."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,12}\.\d{1,6}", text) else text


def _prefix(field: str, value: str, _: Listing) -> Where:
    return Where(f"{column(field)} LIKE ? ESCAPE '\\'", (_literal(value) + "%",))


def _part(field: str, value: str, _: Listing) -> Where:
    return Where(f"{column(field)} LIKE ? ESCAPE '\\'", (f"%{_literal(value)}%",))


KINDS: dict[str, Callable[[str, str, Listing], Where]] = {
    "field": exact,
    "field-prefix": _prefix,
    "field-search": _part,
}


def _search(listing: Listing, field: str, value: str) -> Where:
    """Each word stands in some field."""
    if field != "search":
        raise bad_query(f"unknown special query: {field}", "filter_field")
    words = [_somewhere(word, listing) for word in value.split()[:WORDS_MAX]] or [_somewhere("", listing)]
    return Where(" AND ".join(word.sql for word in words), tuple(each for word in words for each in word.values))


def _somewhere(word: str, listing: Listing) -> Where:
    parts = [_part(each, word, listing) for each in sorted(listing.filters)]
    return Where(f"({' OR '.join(part.sql for part in parts)})", tuple(part.values[0] for part in parts))


def _literal(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _whole(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= most:
        raise bad_query(f"{name} is a number from 1 to {most}", name)
    return int(text)
