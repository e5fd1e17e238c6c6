"""The register of items: what a row of a billogram is filled from. Billograms keep copies and lose nothing with it."""

from billogram_sandbox.call import Call
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import stamp
from billogram_sandbox.core.documents import Json, dump, load, merged
from billogram_sandbox.core.envelope import invalid, not_found
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.item import ItemChange, NewItem
from billogram_sandbox.shapes.values import given, read

READ_ONLY = frozenset({"created_at", "updated_at"})
FILLED = ("title", "description", "price", "vat", "unit", "bookkeeping")
LISTING = lists.Listing(
    "items",
    filters=frozenset(
        {"item_no", "title", "description", "price"} | {f"bookkeeping:{key}_account" for key in ("income", "vat")}
    ),
    orders=frozenset({"item_no", "title", "price", "created_at", "updated_at"}),
    numbers=frozenset({"price"}),
)


def listing(call: Call) -> Json:
    total, docs = lists.found(call.sandbox.database, LISTING, call.query)
    return {"status": "OK", "meta": {"total_count": total}, "data": docs}


def create(call: Call) -> Json:
    if call.body.get("item_no", "") is None:
        raise invalid("item_no must be text or left out", "item_no")
    doc = read(NewItem, call.body, READ_ONLY).model_dump()
    doc |= {"created_at": stamp(call.sandbox.clock.now()), "updated_at": None}
    doc["item_no"] = doc["item_no"] or _next_no(call.sandbox)
    _require_free(call.sandbox, doc["item_no"])
    call.sandbox.database.run("INSERT INTO items (item_no, doc) VALUES (?, ?)", doc["item_no"], dump(doc))
    return {"status": "OK", "data": doc}


def get(call: Call) -> Json:
    return {"status": "OK", "data": _load(call.sandbox, call.path["id"])}


def update(call: Call) -> Json:
    old = _load(call.sandbox, call.path["id"])
    unequal = {key: value for key, value in call.body.items() if key not in READ_ONLY or value != old[key]}
    change = given(read(ItemChange, unequal, READ_ONLY))
    doc = merged(old, change) | {"updated_at": stamp(call.sandbox.clock.now())}
    if doc["item_no"] != old["item_no"]:
        _require_free(call.sandbox, doc["item_no"])
    sql = "UPDATE items SET item_no = ?, doc = ? WHERE item_no = ?"
    call.sandbox.database.run(sql, doc["item_no"], dump(doc), old["item_no"])
    return {"status": "OK", "data": doc}


def delete(call: Call) -> Json:
    _load(call.sandbox, call.path["id"])
    call.sandbox.database.run("DELETE FROM items WHERE item_no = ?", call.path["id"])
    return {"status": "OK", "data": {}}


def filled(sandbox: Sandbox, body: Json) -> Json:
    """A body whose rows have from their items what they lack themselves. What is no row yet is left as it came."""
    if not isinstance(body.get("items"), list):
        return body
    return body | {"items": [row_filled(sandbox, row) for row in body["items"]]}


def row_filled(sandbox: Sandbox, row: object) -> object:
    if not isinstance(row, dict) or not isinstance(row.get("item_no"), str | int):
        return row
    item = find(sandbox, str(row["item_no"]))
    if item is None:
        return row
    return merged({key: item[key] for key in FILLED}, {key: each for key, each in row.items() if each is not None})


def find(sandbox: Sandbox, item_no: str) -> Json | None:
    """What is no text, as JSON can write it, is no item's either."""
    key = item_no.encode(errors="backslashreplace").decode()
    text = sandbox.database.scalar("SELECT doc FROM items WHERE item_no = ?", key)
    doc: Json | None = text and load(text)
    return doc


def _load(sandbox: Sandbox, item_no: str) -> Json:
    doc = find(sandbox, item_no)
    if doc is None:
        raise not_found(item_no)
    return doc


def _next_no(sandbox: Sandbox) -> str:
    """The first one free after as many as there are."""
    number = sandbox.database.scalar("SELECT count(*) FROM items") + 1
    while find(sandbox, str(number)):
        number += 1
    return str(number)


def _require_free(sandbox: Sandbox, item_no: str) -> None:
    if find(sandbox, item_no):
        raise invalid("Item with same item_no already exists", "item_no")
