"""Items: created, read, changed, deleted, listed, copied into rows."""

from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import format_timestamp
from billogram_sandbox.core.documents import Json, dump, load, merge
from billogram_sandbox.core.envelope import invalid, not_found
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.item import ItemChange, NewItem
from billogram_sandbox.shapes.values import given_fields, parse

READ_ONLY = frozenset({"created_at", "updated_at"})
FILLED_KEYS = ("title", "description", "price", "vat", "unit", "bookkeeping")
LISTING = lists.Listing(
    "items",
    filters=frozenset(
        {"item_no", "title", "description", "price"} | {f"bookkeeping:{key}_account" for key in ("income", "vat")}
    ),
    orders=frozenset({"item_no", "title", "price", "created_at", "updated_at"}),
    numbers=frozenset({"price"}),
)


def listing(context: RequestContext) -> Json:
    total, docs = lists.select_page(context.sandbox.database, LISTING, context.query)
    return {"status": "OK", "meta": {"total_count": total}, "data": docs}


def create(context: RequestContext) -> Json:
    if context.body.get("item_no", "") is None:
        raise invalid("item_no must be text or left out", "item_no")
    doc = parse(NewItem, context.body, READ_ONLY).model_dump()
    doc |= {"created_at": format_timestamp(context.sandbox.clock.now()), "updated_at": None}
    doc["item_no"] = doc["item_no"] or _next_number(context.sandbox)
    _require_unused(context.sandbox, doc["item_no"])
    context.sandbox.database.execute("INSERT INTO items (item_no, doc) VALUES (?, ?)", doc["item_no"], dump(doc))
    return {"status": "OK", "data": doc}


def get(context: RequestContext) -> Json:
    return {"status": "OK", "data": _load(context.sandbox, context.path["id"])}


def update(context: RequestContext) -> Json:
    old = _load(context.sandbox, context.path["id"])
    unequal = {key: value for key, value in context.body.items() if key not in READ_ONLY or value != old[key]}
    change = given_fields(parse(ItemChange, unequal, READ_ONLY))
    doc = merge(old, change) | {"updated_at": format_timestamp(context.sandbox.clock.now())}
    if doc["item_no"] != old["item_no"]:
        _require_unused(context.sandbox, doc["item_no"])
    sql = "UPDATE items SET item_no = ?, doc = ? WHERE item_no = ?"
    context.sandbox.database.execute(sql, doc["item_no"], dump(doc), old["item_no"])
    return {"status": "OK", "data": doc}


def delete(context: RequestContext) -> Json:
    _load(context.sandbox, context.path["id"])
    context.sandbox.database.execute("DELETE FROM items WHERE item_no = ?", context.path["id"])
    return {"status": "OK", "data": {}}


def fill_rows(sandbox: Sandbox, body: Json) -> Json:
    """The body with rows filled from their items. Anything that is not a valid row is left unchanged."""
    if not isinstance(body.get("items"), list):
        return body
    return body | {"items": [fill_row(sandbox, row) for row in body["items"]]}


def fill_row(sandbox: Sandbox, row: object) -> object:
    if not isinstance(row, dict) or not isinstance(row.get("item_no"), str | int):
        return row
    item = find(sandbox, str(row["item_no"]))
    if item is None:
        return row
    return merge({key: item[key] for key in FILLED_KEYS}, {key: each for key, each in row.items() if each is not None})


def find(sandbox: Sandbox, item_no: str) -> Json | None:
    """JSON can hold half of a surrogate pair, which matches no item."""
    key = item_no.encode(errors="backslashreplace").decode()
    text = sandbox.database.scalar("SELECT doc FROM items WHERE item_no = ?", key)
    doc: Json | None = text and load(text)
    return doc


def _load(sandbox: Sandbox, item_no: str) -> Json:
    doc = find(sandbox, item_no)
    if doc is None:
        raise not_found(item_no)
    return doc


def _next_number(sandbox: Sandbox) -> str:
    """The first free number above the number of items."""
    number = sandbox.database.scalar("SELECT count(*) FROM items") + 1
    while find(sandbox, str(number)):
        number += 1
    return str(number)


def _require_unused(sandbox: Sandbox, item_no: str) -> None:
    if find(sandbox, item_no):
        raise invalid("Item with same item_no already exists", "item_no")
