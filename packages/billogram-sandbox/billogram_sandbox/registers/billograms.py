"""Billograms: stored, shown in full or compact, listed.

Keys of the stored document that begin with an underscore are internal and never shown.
"""

import secrets
import string
from datetime import date, datetime, timedelta
from decimal import Decimal

from billogram_sandbox.callbacks import events
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import format_timestamp
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ApiError, invalid, not_found
from billogram_sandbox.request_context import RequestContext
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


def listing(context: RequestContext) -> Json:
    total, docs = lists.select_page(context.sandbox.database, LISTING, context.query)
    meta = {"total_count": total, "total_remaining_sum": _total_remaining(context)}
    return {"status": "OK", "meta": meta, "data": [_compact(context, doc) for doc in docs]}


def get(context: RequestContext) -> Json:
    return response(context, load_one(context.sandbox, context.path["id"]))


def response(context: RequestContext, doc: Json) -> Json:
    return {"status": "OK", "data": public_document(context, doc)}


def public_document(context: RequestContext, doc: Json) -> Json:
    interest.accrue(doc, context.sandbox.clock.today())
    public = {key: value for key, value in doc.items() if not key.startswith("_")}
    url = doc["url"] and context.base_url + doc["url"]
    public |= {"url": url, "recipient_url": url, "events": events.latest(context.sandbox, doc["id"])}
    return public | _draft_dates(context, doc)


def dates(doc: Json, today: date) -> Json:
    """The dates of a billogram that is sent today."""
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
        raise ApiError(400, "INVALID_PARAMETER_COMBINATION", text, "due_days")


def load_one(sandbox: Sandbox, billogram_id: str) -> Json:
    text = sandbox.database.scalar("SELECT doc FROM billograms WHERE id = ?", billogram_id)
    if text is None:
        raise not_found(billogram_id)
    doc: Json = load(text)
    interest.accrue(doc, sandbox.clock.today())
    return doc


def save(sandbox: Sandbox, doc: Json, at: datetime) -> None:
    doc["updated_at"] = format_timestamp(at)
    write(sandbox, doc)


def write(sandbox: Sandbox, doc: Json) -> None:
    interest.set_daily_rate(doc)
    sandbox.database.execute("UPDATE billograms SET doc = ? WHERE id = ?", dump(doc), doc["id"])


def current_sums(doc: Json) -> Json:
    """As most events carry them."""
    return {"total_sum": doc["total_sum"], "remaining_sum": doc["remaining_sum"]}


def random_token(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def new_invoice_no(sandbox: Sandbox, billogram_id: str, requested: int | None = None) -> int:
    """The requested number, else the next of the series, for an invoice or a credit invoice."""
    database = sandbox.database
    if requested and database.row("SELECT 1 FROM invoices WHERE invoice_no = ?", requested):
        raise invalid("Billogram with same invoice_no already exists", "invoice_no")
    return database.execute("INSERT INTO invoices VALUES (?, ?)", requested, billogram_id)


def _draft_dates(context: RequestContext, doc: Json) -> Json:
    """A draft shows the dates of sending it now."""
    return dates(doc, context.sandbox.clock.today()) if doc["state"] == UNATTESTED else {}


def _compact(context: RequestContext, doc: Json) -> Json:
    interest.accrue(doc, context.sandbox.clock.today())
    short = doc | _draft_dates(context, doc)
    return {key: short[key] for key in COMPACT} | {"customer": {key: doc["customer"][key] for key in COMPACT_CUSTOMER}}


def _total_remaining(context: RequestContext) -> str:
    """Summed in whole hundredths: SQLite would add floats."""
    condition = lists.condition_of(context.query, LISTING)
    since = interest.hundredths_since_stored(context.sandbox.clock.today())
    each = f"CAST(round({lists.column('remaining_sum')} * 100) AS INTEGER) + {since}"
    sql = f"SELECT coalesce(sum({each}), 0) FROM billograms WHERE {condition.sql}"
    return str(hundredths(Decimal(context.sandbox.database.scalar(sql, *condition.values)) / 100))
