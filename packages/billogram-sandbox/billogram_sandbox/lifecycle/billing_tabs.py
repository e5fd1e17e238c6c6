"""Billing tabs: collect a customer's items and bill them as one billogram on the billing date.

A tab opens with its first item. On its billing date it becomes a billogram, sent immediately, and the next item opens
another tab. If the billogram cannot be created, a callback says why, and the items wait for the next date of the
frequency; after ten failures, for another item or setting. A tab without items is deleted.
"""

import re
import uuid
from datetime import datetime
from sqlite3 import Row
from typing import NamedTuple

from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core.clock import format_instant, start_of_day
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ApiError, invalid, not_found, wrong_state
from billogram_sandbox.lifecycle import drafts
from billogram_sandbox.registers import customers, items
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.tab import NewTabItem, TabSettings, next_billing
from billogram_sandbox.shapes.values import given_fields, parse

DEDUPLICATION_HEADER = "X-API-Deduplication-ID"
DEDUPLICATION_ID_MAX = 36
FAILURES_MAX = 10
DEFAULT_FREQUENCY, DEFAULT_METHOD = "monthly#1", "Email"


class Customer(NamedTuple):
    seq: int
    number: str


def get_open(context: RequestContext) -> Json:
    customer = _customer(context)
    tab = _find_open(context.sandbox, customer.seq)
    if tab is None:
        raise not_found(f"{customer.number}/billing-tab")
    return _response(context.sandbox, customer, tab)


def get(context: RequestContext) -> Json:
    customer = _customer(context)
    return _response(context.sandbox, customer, _tab(context, customer))


def delete(context: RequestContext) -> Json:
    tab = _tab(context, _customer(context))
    _require_unbilled(tab)
    context.sandbox.database.execute("UPDATE tab_items SET is_removed = 1 WHERE tab_id = ?", tab["id"])
    context.sandbox.database.execute("DELETE FROM tabs WHERE id = ?", tab["id"])
    return {"status": "OK", "data": {}}


def add_item(context: RequestContext) -> Json:
    """A known deduplication id adds nothing and gets the same response."""
    customer, key, database = _customer(context), _deduplication_id(context), context.sandbox.database
    known = "SELECT doc FROM tab_items WHERE customer_seq = ? AND deduplication_id = ?"
    if text := database.scalar(known, customer.seq, key):
        return {"status": "OK", "data": load(text)}
    filled = {name: items.fill_row(context.sandbox, value) for name, value in context.body.items()}
    row = given_fields(parse(NewTabItem, filled).billogram_item)
    tab = _find_open(context.sandbox, customer.seq) or _open_new(context.sandbox, customer.seq)
    if tab["wakes_at"] is None:
        _reschedule_open(context.sandbox, customer.seq)
    at, item_id = format_instant(context.sandbox.clock.now()), str(uuid.uuid4())
    doc = {"billing_tab_id": tab["id"], "item_id": item_id, "created_at": at, "billogram_item": row}
    sql = "INSERT INTO tab_items (id, tab_id, customer_seq, deduplication_id, doc) VALUES (?, ?, ?, ?, ?)"
    database.execute(sql, item_id, tab["id"], customer.seq, key, dump(doc))
    return {"status": "OK", "data": doc}


def get_item(context: RequestContext) -> Json:
    return {"status": "OK", "data": load(_item(context)["doc"])}


def delete_item(context: RequestContext) -> Json:
    item = _item(context)
    tab = context.sandbox.database.row("SELECT * FROM tabs WHERE id = ?", item["tab_id"])
    assert tab is not None
    _require_unbilled(tab)
    context.sandbox.database.execute("UPDATE tab_items SET is_removed = 1 WHERE id = ?", item["id"])
    if not _items(context.sandbox, tab):
        context.sandbox.database.execute("DELETE FROM tabs WHERE id = ?", tab["id"])
    return {"status": "OK", "data": {}}


def get_settings(context: RequestContext) -> Json:
    return {"status": "OK", "data": _settings(context.sandbox, _customer(context).seq)}


def post_settings(context: RequestContext) -> Json:
    return put_settings(context)


def put_settings(context: RequestContext) -> Json:
    """The new frequency also holds for an open tab."""
    customer = _customer(context)
    change = parse(TabSettings, context.body)
    given_settings = {name: value for name, value in change.model_dump().items() if name in context.body}
    if not given_settings:
        raise invalid("Billing frequency not set", "billing_frequency")
    doc = _settings(context.sandbox, customer.seq) | given_settings
    context.sandbox.database.execute("INSERT OR REPLACE INTO tab_settings VALUES (?, ?)", customer.seq, dump(doc))
    _reschedule_open(context.sandbox, customer.seq)
    return {"status": "OK", "data": doc}


def delete_settings(context: RequestContext) -> Json:
    customer = _customer(context)
    context.sandbox.database.execute("DELETE FROM tab_settings WHERE customer_seq = ?", customer.seq)
    _reschedule_open(context.sandbox, customer.seq)
    return {"status": "OK", "data": {}}


def next_due(sandbox: Sandbox) -> str | None:
    text: str | None = sandbox.database.scalar("SELECT min(wakes_at) FROM tabs")
    return text


def bill_due(sandbox: Sandbox, at: datetime) -> None:
    """Bills the first tab whose billing date begins at that instant."""
    tab = sandbox.database.row("SELECT * FROM tabs WHERE wakes_at = ? ORDER BY rowid LIMIT 1", format_instant(at))
    assert tab is not None
    with sandbox.clock.frozen(at):
        if _create_billogram(sandbox, tab, at):
            sandbox.database.execute("UPDATE tabs SET wakes_at = NULL, is_billed = 1 WHERE id = ?", tab["id"])
        else:
            _reschedule_open(sandbox, tab["customer_seq"], tab["failures"] + 1)


def _create_billogram(sandbox: Sandbox, tab: Row, at: datetime) -> bool:
    rows = [load(item["doc"])["billogram_item"] for item in _items(sandbox, tab)]
    number = sandbox.database.scalar("SELECT customer_no FROM customers WHERE seq = ?", tab["customer_seq"])
    method = _settings(sandbox, tab["customer_seq"])["delivery_method"] or DEFAULT_METHOD
    then = {"command": "send", "method": method}
    try:
        with sandbox.database.savepoint():
            drafts.create(
                RequestContext(
                    sandbox, "", {}, {}, {"customer": {"customer_no": number}, "items": rows, "on_success": then}
                )
            )
    except ApiError as problem:
        head = {"billing_tab": {"customer_number": str(number), "id": tab["id"]}}
        event = {"type": "BillogramCreationError", "response": problem.body}
        body = outbox.envelope("BillingTab", at) | head | {"event": event}
        outbox.enqueue_for_account(sandbox, f"customer-{number}", body)
        return False
    return True


def _open_new(sandbox: Sandbox, customer_seq: int) -> Row:
    sql = "INSERT INTO tabs (id, customer_seq, billing_date, wakes_at) VALUES (?, ?, ?, ?)"
    sandbox.database.execute(sql, str(uuid.uuid4()), customer_seq, *_next_billing(sandbox, customer_seq))
    sandbox.schedule_changed.set()
    tab = _find_open(sandbox, customer_seq)
    assert tab is not None
    return tab


def _reschedule_open(sandbox: Sandbox, customer_seq: int, failures: int = 0) -> None:
    day, wakes_at = _next_billing(sandbox, customer_seq)
    sql = "UPDATE tabs SET billing_date = ?, wakes_at = ?, failures = ? WHERE customer_seq = ? AND NOT is_billed"
    sandbox.database.execute(sql, day, wakes_at if failures < FAILURES_MAX else None, failures, customer_seq)
    sandbox.schedule_changed.set()


def _next_billing(sandbox: Sandbox, customer_seq: int) -> tuple[str, str]:
    frequency = _settings(sandbox, customer_seq)["billing_frequency"] or DEFAULT_FREQUENCY
    day = next_billing(frequency, sandbox.clock.today())
    return str(day), format_instant(start_of_day(day))


def _settings(sandbox: Sandbox, customer_seq: int) -> Json:
    text = sandbox.database.scalar("SELECT doc FROM tab_settings WHERE customer_seq = ?", customer_seq)
    return TabSettings().model_dump() | (load(text) if text else {})


def _response(sandbox: Sandbox, customer: Customer, tab: Row) -> Json:
    shown = [load(item["doc"]) for item in _items(sandbox, tab)]
    data = {
        "customer": {"customer_number": customer.number},
        "billing_tab": {"id": tab["id"], "billing_date": tab["billing_date"]},
        "items": [{key: each for key, each in doc.items() if key != "billing_tab_id"} for doc in shown],
    }
    return {"status": "OK", "data": data}


def _items(sandbox: Sandbox, tab: Row) -> list[Row]:
    return sandbox.database.rows(
        "SELECT doc FROM tab_items WHERE tab_id = ? AND NOT is_removed ORDER BY seq", tab["id"]
    )


def _find_open(sandbox: Sandbox, customer_seq: int) -> Row | None:
    return sandbox.database.row("SELECT * FROM tabs WHERE customer_seq = ? AND NOT is_billed", customer_seq)


def _tab(context: RequestContext, customer: Customer) -> Row:
    key = _uuid(context, "tab", "billing_tab_id")
    tab = context.sandbox.database.row("SELECT * FROM tabs WHERE id = ? AND customer_seq = ?", key, customer.seq)
    if tab is None:
        raise not_found(key)
    return tab


def _item(context: RequestContext) -> Row:
    customer, key = _customer(context), _uuid(context, "item", "billing_tab_item_id")
    sql = "SELECT * FROM tab_items WHERE id = ? AND customer_seq = ? AND NOT is_removed"
    item = context.sandbox.database.row(sql, key, customer.seq)
    if item is None:
        raise not_found(key)
    return item


def _uuid(context: RequestContext, part: str, field: str) -> str:
    try:
        return str(uuid.UUID(context.path[part]))
    except ValueError:
        raise invalid(f"{field} is not a UUID", field) from None


def _customer(context: RequestContext) -> Customer:
    number = context.path["id"]
    if not re.fullmatch(r"[0-9]{1,10}", number):
        raise invalid("customer_no is not a number", "customer_no")
    return Customer(customers.seq_of(context.sandbox, number), str(int(number)))


def _deduplication_id(context: RequestContext) -> str:
    key = context.headers.get(DEDUPLICATION_HEADER, "")
    if not 1 <= len(key) <= DEDUPLICATION_ID_MAX:
        raise invalid(
            f"the header {DEDUPLICATION_HEADER} must have 1 to {DEDUPLICATION_ID_MAX} characters", DEDUPLICATION_HEADER
        )
    return key


def _require_unbilled(tab: Row) -> None:
    if tab["is_billed"]:
        raise wrong_state("the tab is already billed")
