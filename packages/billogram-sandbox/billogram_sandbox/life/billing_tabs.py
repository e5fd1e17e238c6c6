"""Billing tabs: what a customer takes over time is written on one, and billed as one billogram on its day.

A tab opens with its first item. On its day it becomes a billogram, sent at once, and the next item opens another.
If the billogram can't be made, a callback says why, and the items wait for the next day of the frequency; after ten
such days, until there is another item or another setting. A tab without items goes.
"""

import re
import uuid
from datetime import datetime
from sqlite3 import Row
from typing import NamedTuple

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core.clock import instant, start_of
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import Problem, invalid, not_found, wrong_state
from billogram_sandbox.life import drafts
from billogram_sandbox.registers import customers, items
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.tab import NewTabItem, TabSettings, next_billing
from billogram_sandbox.shapes.values import given, read

HEADER = "X-API-Deduplication-ID"
HEADER_MAX = 36
FAILURES_MAX = 10
USUAL_FREQUENCY, USUAL_METHOD = "monthly#1", "Email"


class Customer(NamedTuple):
    seq: int
    number: str


def get_open(call: Call) -> Json:
    customer = _customer(call)
    tab = _open(call.sandbox, customer.seq)
    if tab is None:
        raise not_found(f"{customer.number}/billing-tab")
    return _shown(call.sandbox, customer, tab)


def get(call: Call) -> Json:
    customer = _customer(call)
    return _shown(call.sandbox, customer, _tab(call, customer))


def delete(call: Call) -> Json:
    tab = _tab(call, _customer(call))
    _require_unbilled(tab)
    call.sandbox.database.run("UPDATE tab_items SET is_removed = 1 WHERE tab_id = ?", tab["id"])
    call.sandbox.database.run("DELETE FROM tabs WHERE id = ?", tab["id"])
    return {"status": "OK", "data": {}}


def add_item(call: Call) -> Json:
    """What came under the same key before is answered as it was then, and nothing is added."""
    customer, key, database = _customer(call), _deduplication_id(call), call.sandbox.database
    known = "SELECT doc FROM tab_items WHERE customer_seq = ? AND deduplication_id = ?"
    if text := database.scalar(known, customer.seq, key):
        return {"status": "OK", "data": load(text)}
    filled = {name: items.row_filled(call.sandbox, value) for name, value in call.body.items()}
    row = given(read(NewTabItem, filled).billogram_item)
    tab = _open(call.sandbox, customer.seq) or _opened(call.sandbox, customer.seq)
    if tab["wakes_at"] is None:
        _put_off_open(call.sandbox, customer.seq)
    at, item_id = instant(call.sandbox.clock.now()), str(uuid.uuid4())
    doc = {"billing_tab_id": tab["id"], "item_id": item_id, "created_at": at, "billogram_item": row}
    sql = "INSERT INTO tab_items (id, tab_id, customer_seq, deduplication_id, doc) VALUES (?, ?, ?, ?, ?)"
    database.run(sql, item_id, tab["id"], customer.seq, key, dump(doc))
    return {"status": "OK", "data": doc}


def get_item(call: Call) -> Json:
    return {"status": "OK", "data": load(_item(call)["doc"])}


def delete_item(call: Call) -> Json:
    item = _item(call)
    tab = call.sandbox.database.row("SELECT * FROM tabs WHERE id = ?", item["tab_id"])
    assert tab is not None
    _require_unbilled(tab)
    call.sandbox.database.run("UPDATE tab_items SET is_removed = 1 WHERE id = ?", item["id"])
    if not _items(call.sandbox, tab):
        call.sandbox.database.run("DELETE FROM tabs WHERE id = ?", tab["id"])
    return {"status": "OK", "data": {}}


def get_settings(call: Call) -> Json:
    return {"status": "OK", "data": _settings(call.sandbox, _customer(call).seq)}


def post_settings(call: Call) -> Json:
    return put_settings(call)


def put_settings(call: Call) -> Json:
    """An open tab is billed by the new frequency."""
    customer = _customer(call)
    change = read(TabSettings, call.body)
    said = {name: value for name, value in change.model_dump().items() if name in call.body}
    if not said:
        raise invalid("Billing frequency not set", "billing_frequency")
    doc = _settings(call.sandbox, customer.seq) | said
    call.sandbox.database.run("INSERT OR REPLACE INTO tab_settings VALUES (?, ?)", customer.seq, dump(doc))
    _put_off_open(call.sandbox, customer.seq)
    return {"status": "OK", "data": doc}


def delete_settings(call: Call) -> Json:
    customer = _customer(call)
    call.sandbox.database.run("DELETE FROM tab_settings WHERE customer_seq = ?", customer.seq)
    _put_off_open(call.sandbox, customer.seq)
    return {"status": "OK", "data": {}}


def next_due(sandbox: Sandbox) -> str | None:
    text: str | None = sandbox.database.scalar("SELECT min(wakes_at) FROM tabs")
    return text


def wake(sandbox: Sandbox, at: datetime) -> None:
    """The first tab whose day begins at that instant is billed."""
    tab = sandbox.database.row("SELECT * FROM tabs WHERE wakes_at = ? ORDER BY rowid LIMIT 1", instant(at))
    assert tab is not None
    with sandbox.clock.held(at):
        if _billed(sandbox, tab, at):
            sandbox.database.run("UPDATE tabs SET wakes_at = NULL, is_billed = 1 WHERE id = ?", tab["id"])
        else:
            _put_off_open(sandbox, tab["customer_seq"], tab["failures"] + 1)


def _billed(sandbox: Sandbox, tab: Row, at: datetime) -> bool:
    rows = [load(item["doc"])["billogram_item"] for item in _items(sandbox, tab)]
    number = sandbox.database.scalar("SELECT customer_no FROM customers WHERE seq = ?", tab["customer_seq"])
    method = _settings(sandbox, tab["customer_seq"])["delivery_method"] or USUAL_METHOD
    then = {"command": "send", "method": method}
    try:
        with sandbox.database.attempt():
            drafts.create(
                Call(sandbox, "", {}, {}, {"customer": {"customer_no": number}, "items": rows, "on_success": then})
            )
    except Problem as problem:
        told = {"billing_tab": {"customer_number": str(number), "id": tab["id"]}}
        event = {"type": "BillogramCreationError", "response": problem.body}
        body = outbox.envelope("BillingTab", at) | told | {"event": event}
        outbox.queue_of_account(sandbox, f"customer-{number}", body)
        return False
    return True


def _opened(sandbox: Sandbox, customer_seq: int) -> Row:
    sql = "INSERT INTO tabs (id, customer_seq, billing_date, wakes_at) VALUES (?, ?, ?, ?)"
    sandbox.database.run(sql, str(uuid.uuid4()), customer_seq, *_next_billing(sandbox, customer_seq))
    sandbox.timeline_changed.set()
    tab = _open(sandbox, customer_seq)
    assert tab is not None
    return tab


def _put_off_open(sandbox: Sandbox, customer_seq: int, failures: int = 0) -> None:
    day, wakes_at = _next_billing(sandbox, customer_seq)
    sql = "UPDATE tabs SET billing_date = ?, wakes_at = ?, failures = ? WHERE customer_seq = ? AND NOT is_billed"
    sandbox.database.run(sql, day, wakes_at if failures < FAILURES_MAX else None, failures, customer_seq)
    sandbox.timeline_changed.set()


def _next_billing(sandbox: Sandbox, customer_seq: int) -> tuple[str, str]:
    frequency = _settings(sandbox, customer_seq)["billing_frequency"] or USUAL_FREQUENCY
    day = next_billing(frequency, sandbox.clock.today())
    return str(day), instant(start_of(day))


def _settings(sandbox: Sandbox, customer_seq: int) -> Json:
    text = sandbox.database.scalar("SELECT doc FROM tab_settings WHERE customer_seq = ?", customer_seq)
    return TabSettings().model_dump() | (load(text) if text else {})


def _shown(sandbox: Sandbox, customer: Customer, tab: Row) -> Json:
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


def _open(sandbox: Sandbox, customer_seq: int) -> Row | None:
    return sandbox.database.row("SELECT * FROM tabs WHERE customer_seq = ? AND NOT is_billed", customer_seq)


def _tab(call: Call, customer: Customer) -> Row:
    key = _uuid(call, "tab", "billing_tab_id")
    tab = call.sandbox.database.row("SELECT * FROM tabs WHERE id = ? AND customer_seq = ?", key, customer.seq)
    if tab is None:
        raise not_found(key)
    return tab


def _item(call: Call) -> Row:
    customer, key = _customer(call), _uuid(call, "item", "billing_tab_item_id")
    sql = "SELECT * FROM tab_items WHERE id = ? AND customer_seq = ? AND NOT is_removed"
    item = call.sandbox.database.row(sql, key, customer.seq)
    if item is None:
        raise not_found(key)
    return item


def _uuid(call: Call, part: str, field: str) -> str:
    try:
        return str(uuid.UUID(call.path[part]))
    except ValueError:
        raise invalid(f"{field} is not a UUID", field) from None


def _customer(call: Call) -> Customer:
    number = call.path["id"]
    if not re.fullmatch(r"[0-9]{1,10}", number):
        raise invalid("customer_no is not a number", "customer_no")
    return Customer(customers.seq_of(call.sandbox, number), str(int(number)))


def _deduplication_id(call: Call) -> str:
    key = call.headers.get(HEADER, "")
    if not 1 <= len(key) <= HEADER_MAX:
        raise invalid(f"the header {HEADER} must have 1 to {HEADER_MAX} characters", HEADER)
    return key


def _require_unbilled(tab: Row) -> None:
    if tab["is_billed"]:
        raise wrong_state("the tab is billed already")
