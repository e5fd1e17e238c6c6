"""Customers: created, read, changed, listed. Billograms keep their own copy of one."""

from billogram_sandbox.call import Call
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import stamp
from billogram_sandbox.core.documents import Json, dump, load, merged
from billogram_sandbox.core.envelope import invalid, not_found
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.customer import CustomerChange, NewCustomer
from billogram_sandbox.shapes.values import read

READ_ONLY = frozenset({"links", "created_at", "updated_at"})
ADDRESS = ("street_address", "careof", "zipcode", "city", "country")
LISTING = lists.Listing(
    "customers",
    filters=frozenset(
        {"customer_no", "name", "notes", "org_no", "company_type", "delivery_address:name"}
        | {f"contact:{key}" for key in ("name", "email", "phone")}
        | {f"{address}:{key}" for address in ("address", "delivery_address") for key in ADDRESS}
    ),
    orders=frozenset(
        {"customer_no", "name", "org_no", "contact:email", "contact:phone", "created_at", "updated_at"}
        | {f"{address}:{key}" for address in ("address", "delivery_address") for key in ("zipcode", "city")}
        | {"delivery_address:name"}
    ),
    numbers=frozenset({"customer_no"}),
)


def listing(call: Call) -> Json:
    total, docs = lists.found(call.sandbox.database, LISTING, call.query)
    return {"status": "OK", "meta": {"total_count": total}, "data": docs}


def create(call: Call) -> Json:
    if call.body.get("customer_no", 0) is None:
        raise invalid("customer_no must be a number or left out", "customer_no")
    doc = read(NewCustomer, call.body, READ_ONLY).model_dump()
    doc |= {"links": {"automatic_payments_setup_link": None}}
    doc |= {"created_at": stamp(call.sandbox.clock.now()), "updated_at": None}
    if doc["customer_no"] is None:
        doc["customer_no"] = call.sandbox.database.scalar("SELECT coalesce(max(customer_no), 0) + 1 FROM customers")
    _require_free(call.sandbox, doc["customer_no"])
    sql = "INSERT INTO customers (customer_no, doc) VALUES (?, ?)"
    call.sandbox.database.run(sql, doc["customer_no"], dump(doc))
    return {"status": "OK", "data": doc}


def get(call: Call) -> Json:
    return {"status": "OK", "data": _load(call.sandbox, call.path["id"])}


def update(call: Call) -> Json:
    old = _load(call.sandbox, call.path["id"])
    unequal = {key: value for key, value in call.body.items() if key not in READ_ONLY or value != old[key]}
    change = read(CustomerChange, unequal, READ_ONLY).model_dump(exclude_unset=True)
    doc = merged(old, change) | {"updated_at": stamp(call.sandbox.clock.now())}
    if doc["customer_no"] != old["customer_no"]:
        _require_free(call.sandbox, doc["customer_no"])
    sql = "UPDATE customers SET customer_no = ?, doc = ? WHERE customer_no = ?"
    call.sandbox.database.run(sql, doc["customer_no"], dump(doc), old["customer_no"])
    return {"status": "OK", "data": doc}


def find(sandbox: Sandbox, customer_no: str | int) -> Json | None:
    text = sandbox.database.scalar("SELECT doc FROM customers WHERE customer_no = ?", str(customer_no))
    doc: Json | None = text and load(text)
    return doc


def seq_of(sandbox: Sandbox, customer_no: str) -> int:
    """What does not change when the customer gets another number."""
    seq: int | None = sandbox.database.scalar("SELECT seq FROM customers WHERE customer_no = ?", customer_no)
    if seq is None:
        raise not_found(customer_no)
    return seq


def _load(sandbox: Sandbox, customer_no: str) -> Json:
    doc = find(sandbox, customer_no)
    if doc is None:
        raise not_found(customer_no)
    return doc


def _require_free(sandbox: Sandbox, customer_no: int) -> None:
    if sandbox.database.row("SELECT 1 FROM customers WHERE customer_no = ?", customer_no):
        raise invalid("Customer with same customer_no already exists", "customer_no")
