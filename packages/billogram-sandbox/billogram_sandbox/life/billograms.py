"""Billograms: stored, shown whole or compact, listed. How they change lives in drafts, commands, and timeline.

Keys of the stored document that begin with an underscore are the sandbox's own and never shown.
"""

import secrets
import string
from datetime import date, datetime, timedelta
from decimal import Decimal

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import stamp
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import Problem, invalid, not_found
from billogram_sandbox.rules import interest
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.states import UNATTESTED
from billogram_sandbox.sandbox import Sandbox

DUE_DAYS = 30
COMPACT = (
    *("id", "invoice_no", "ocr_number", "creditor_unique_value", "state", "flags", "invoice_date", "due_date"),
    *("currency", "total_sum", "remaining_sum", "created_at", "updated_at"),
)
COMPACT_CUSTOMER = ("customer_no", "name", "org_no", "email")
LISTING = lists.Listing(
    "billograms",
    filters=frozenset(
        {"id", "invoice_no", "invoice_date", "due_date", "ocr_number", "state", "creditor_unique_value"}
        | {"customer:name", "customer:customer_no", "customer:org_no"}
    ),
    orders=frozenset(
        {"invoice_no", "invoice_date", "due_date", "state", "attested_at"} | {"customer:name", "customer:customer_no"}
    ),
    numbers=frozenset({"invoice_no", "customer:customer_no"}),
)


def listing(call: Call) -> Json:
    total, docs = lists.found(call.sandbox.database, LISTING, call.query)
    meta = {"total_count": total, "total_remaining_sum": _total_remaining(call)}
    return {"status": "OK", "meta": meta, "data": [_compact(call, doc) for doc in docs]}


def get(call: Call) -> Json:
    return shown(call, load_one(call.sandbox, call.path["id"]))


def shown(call: Call, doc: Json) -> Json:
    return {"status": "OK", "data": full(call, doc)}


def full(call: Call, doc: Json) -> Json:
    interest.accrue(doc, call.sandbox.clock.today())
    public = {key: value for key, value in doc.items() if not key.startswith("_")}
    url = doc["url"] and call.base + doc["url"]
    public |= {"url": url, "recipient_url": url, "events": events.latest(call.sandbox, doc["id"])}
    return public | _dates_shown(call, doc)


def dates(doc: Json, today: date) -> Json:
    """The dates that a billogram has if it is sent today."""
    invoiced = date.fromisoformat(doc["invoice_date"]) if doc["invoice_date"] else today
    days = DUE_DAYS if doc["due_days"] is None else doc["due_days"]
    due = date.fromisoformat(doc["due_date"]) if doc["due_date"] else invoiced + timedelta(days=days)
    return {"invoice_date": str(invoiced), "due_date": str(due), "due_days": (due - invoiced).days}


def require_dates(doc: Json, today: date) -> None:
    days = dates(doc, today)["due_days"]
    if days < 0:
        raise invalid("the due date is before the invoice date", "due_date")
    if doc["due_days"] not in (None, days):
        text = "due_date and due_days contradict each other"
        raise Problem(400, "INVALID_PARAMETER_COMBINATION", text, "due_days")


def load_one(sandbox: Sandbox, billogram_id: str) -> Json:
    text = sandbox.database.scalar("SELECT doc FROM billograms WHERE id = ?", billogram_id)
    if text is None:
        raise not_found(billogram_id)
    doc: Json = load(text)
    interest.accrue(doc, sandbox.clock.today())
    return doc


def save(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["updated_at"] = stamp(at)
    store(sandbox, doc)


def store(sandbox: Sandbox, doc: Json) -> None:
    interest.set_pace(doc)
    sandbox.database.run("UPDATE billograms SET doc = ? WHERE id = ?", dump(doc), doc["id"])


def told_sums(doc: Json) -> Json:
    """As most events tell them."""
    return {"total_sum": doc["total_sum"], "remaining_sum": doc["remaining_sum"]}


def token(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def new_invoice_no(sandbox: Sandbox, billogram_id: str, wanted: int | None = None) -> int:
    """The one wanted, else the next of the series; every invoice and every credit invoice takes its own."""
    database = sandbox.database
    if wanted and database.row("SELECT 1 FROM invoices WHERE invoice_no = ?", wanted):
        raise invalid("Billogram with same invoice_no already exists", "invoice_no")
    return database.run("INSERT INTO invoices VALUES (?, ?)", wanted, billogram_id)


def _dates_shown(call: Call, doc: Json) -> Json:
    """A draft shows the dates that it would have if it were sent now."""
    return dates(doc, call.sandbox.clock.today()) if doc["state"] == UNATTESTED else {}


def _compact(call: Call, doc: Json) -> Json:
    interest.accrue(doc, call.sandbox.clock.today())
    short = doc | _dates_shown(call, doc)
    return {key: short[key] for key in COMPACT} | {"customer": {key: doc["customer"][key] for key in COMPACT_CUSTOMER}}


def _total_remaining(call: Call) -> str:
    """Summed in whole hundredths, for SQLite would otherwise add floats."""
    condition = lists.where(call.query, LISTING)
    since = interest.hundredths_since_stored(call.sandbox.clock.today())
    each = f"CAST(round({lists.column('remaining_sum')} * 100) AS INTEGER) + {since}"
    sql = f"SELECT coalesce(sum({each}), 0) FROM billograms WHERE {condition.sql}"
    return str(hundredths(Decimal(call.sandbox.database.scalar(sql, *condition.values)) / 100))
