"""Customers: created, read, changed, listed, copied into billograms."""

from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import format_timestamp
from billogram_sandbox.core.documents import Json, dump, load, merge
from billogram_sandbox.core.envelope import invalid, not_found
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.billogram import RecipientChange
from billogram_sandbox.shapes.customer import CustomerChange, NewCustomer
from billogram_sandbox.shapes.values import parse

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

COPIED = ("customer_no", "name", "org_no", "vat_no")
ADDRESSES = ("address", "delivery_address", "permanent_establishment_address")


def listing(context: RequestContext) -> Json:
    total, docs = lists.select_page(context.sandbox.database, LISTING, context.query)
    return {"status": "OK", "meta": {"total_count": total}, "data": docs}


def create(context: RequestContext) -> Json:
    if context.body.get("customer_no", 0) is None:
        raise invalid("customer_no must be a number or left out", "customer_no")
    doc = parse(NewCustomer, context.body, READ_ONLY).model_dump()
    doc |= {"links": {"automatic_payments_setup_link": None}}
    doc |= {"created_at": format_timestamp(context.sandbox.clock.now()), "updated_at": None}
    if doc["customer_no"] is None:
        doc["customer_no"] = context.sandbox.database.scalar("SELECT coalesce(max(customer_no), 0) + 1 FROM customers")
    _require_unused(context.sandbox, doc["customer_no"])
    sql = "INSERT INTO customers (customer_no, doc) VALUES (?, ?)"
    context.sandbox.database.execute(sql, doc["customer_no"], dump(doc))
    return {"status": "OK", "data": doc}


def get(context: RequestContext) -> Json:
    return {"status": "OK", "data": _load(context.sandbox, context.path["id"])}


def update(context: RequestContext) -> Json:
    old = _load(context.sandbox, context.path["id"])
    unequal = {key: value for key, value in context.body.items() if key not in READ_ONLY or value != old[key]}
    change = parse(CustomerChange, unequal, READ_ONLY).model_dump(exclude_unset=True)
    doc = merge(old, change) | {"updated_at": format_timestamp(context.sandbox.clock.now())}
    if doc["customer_no"] != old["customer_no"]:
        _require_unused(context.sandbox, doc["customer_no"])
    sql = "UPDATE customers SET customer_no = ?, doc = ? WHERE customer_no = ?"
    context.sandbox.database.execute(sql, doc["customer_no"], dump(doc), old["customer_no"])
    return {"status": "OK", "data": doc}


def find(sandbox: Sandbox, customer_no: str | int) -> Json | None:
    text = sandbox.database.scalar("SELECT doc FROM customers WHERE customer_no = ?", str(customer_no))
    doc: Json | None = text and load(text)
    return doc


def copy_for_billogram(sandbox: Sandbox, wanted: RecipientChange, old: Json | None = None) -> Json:
    """With a number, a new copy of the customer; else the old copy, changed. The city is upper-cased."""
    base = _copy_of(sandbox, wanted.customer_no) if wanted.customer_no or old is None else old
    copy = merge(base, wanted.model_dump(exclude_unset=True, exclude_none=True))
    copy["address"]["city"] = (copy["address"]["city"] or "").upper()
    return copy


def seq_of(sandbox: Sandbox, customer_no: str) -> int:
    """The key that stays when the customer number changes."""
    seq: int | None = sandbox.database.scalar("SELECT seq FROM customers WHERE customer_no = ?", customer_no)
    if seq is None:
        raise not_found(customer_no)
    return seq


def _load(sandbox: Sandbox, customer_no: str) -> Json:
    doc = find(sandbox, customer_no)
    if doc is None:
        raise not_found(customer_no)
    return doc


def _require_unused(sandbox: Sandbox, customer_no: int) -> None:
    if sandbox.database.row("SELECT 1 FROM customers WHERE customer_no = ?", customer_no):
        raise invalid("Customer with same customer_no already exists", "customer_no")


def _copy_of(sandbox: Sandbox, customer_no: int | None) -> Json:
    customer = find(sandbox, customer_no or 0)
    if customer is None:
        raise invalid(f"object not found with id={customer_no}", "customer_no", ["customer"])
    copy: Json = {key: customer[key] for key in COPIED}
    copy |= {key: customer["contact"][key] for key in ("email", "phone")}
    return copy | {key: customer[key] for key in ADDRESSES}
