"""Creates, changes, and deletes billograms. Changes after sending: `amendments.py`."""

from collections.abc import Collection
from datetime import datetime

from billogram_sandbox.account import settings
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import format_timestamp
from billogram_sandbox.core.documents import Json, dump, merge
from billogram_sandbox.core.envelope import ApiError, invalid, wrong_state
from billogram_sandbox.lifecycle import amendments, factoring, sending
from billogram_sandbox.registers import attachments, billograms, customers, items
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules import statute
from billogram_sandbox.rules.money import ZERO_SUMS, update_sums
from billogram_sandbox.rules.states import DELETED, UNATTESTED
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.billogram import BillogramChange, NewBillogram, OnSuccess
from billogram_sandbox.shapes.values import given_fields, parse

INVOICE_FEE_VAT = 25
TOTAL_MAX = 10**12
INITIAL: Json = {
    "ocr_number": None,
    "respite_date": None,
    "invoice_fee_vat": 0,
    "interest_fee": 0,
    "delivery_method": "Letter",
    "state": UNATTESTED,
    "url": None,
    "recipient_url": None,
    "flags": [],
    "remaining_sum": 0,
    "total_sum": 0,
    "rounding_value": 0,
    "reminder_count": 0,
    "detailed_sums": ZERO_SUMS,
    "offers": [],
    "sales_accepted": None,
    "attested_at": None,
}
READ_ONLY = frozenset({"id", "events", "created_at", "updated_at", *INITIAL})
READ_ONLY_AFTER_CREATION = READ_ONLY | {"invoice_no"}
DATES = ("invoice_date", "due_date", "due_days")
READ_ONLY_WHEN_SENT = READ_ONLY_AFTER_CREATION | {*DATES, "creditor_unique_value", "invoice_fee", "currency"}
NOT_STORED = {"customer", "attachment", "attachment_content", "on_success", "event"}


def create(context: RequestContext) -> Json:
    wanted = parse(NewBillogram, items.fill_rows(context.sandbox, context.body), READ_ONLY)
    now = context.sandbox.clock.now()
    doc = _new(context, wanted, now)
    context.sandbox.database.execute("INSERT INTO billograms (id, doc) VALUES (?, ?)", doc["id"], dump(doc))
    events.publish(context.sandbox, doc, "BillogramCreated", now)
    _run_on_success(context, doc, _next_command(wanted))
    return billograms.response(context, doc)


def update(context: RequestContext) -> Json:
    old = billograms.load_one(context.sandbox, context.path["id"])
    is_draft = old["state"] == UNATTESTED
    fixed = READ_ONLY_AFTER_CREATION if is_draft else READ_ONLY_WHEN_SENT
    body = _without_unchanged(
        items.fill_rows(context.sandbox, context.body), billograms.public_document(context, old), fixed
    )
    change = parse(BillogramChange, body, fixed)
    if not is_draft:
        amendments.require_open(old)
    doc = _changed(context, old, change)
    if is_draft:
        events.publish(context.sandbox, doc, "DataChange", context.sandbox.clock.now())
        billograms.save(context.sandbox, doc, context.sandbox.clock.now())
    else:
        amendments.apply(context.sandbox, old, doc)
    _run_on_success(context, doc, change.on_success)
    return billograms.response(context, doc)


def delete(context: RequestContext) -> Json:
    doc = billograms.load_one(context.sandbox, context.path["id"])
    if doc["state"] != UNATTESTED:
        raise wrong_state(f"only an Unattested billogram can be deleted, not one in state {doc['state']}")
    events.publish(context.sandbox, doc | {"state": DELETED}, "Deleted", context.sandbox.clock.now())
    attachments.remove(context.sandbox, doc["id"])
    for sql in ("billograms WHERE id = ?", "events WHERE billogram_id = ?", "invoices WHERE billogram_id = ?"):
        context.sandbox.database.execute(f"DELETE FROM {sql}", doc["id"])
    return {"status": "OK", "data": {}}


def _new(context: RequestContext, wanted: NewBillogram, now: datetime) -> Json:
    billogram_id = billograms.random_token(8)
    own = settings.load(context.sandbox.database)
    doc = {"id": billogram_id, "attachment": None} | wanted.model_dump(exclude=NOT_STORED) | INITIAL
    doc |= {"created_at": format_timestamp(now), "updated_at": format_timestamp(now), "_wakes_at": None}
    doc |= _account_defaults(doc, wanted, own["invoices"])
    doc["customer"] = customers.copy_for_billogram(context.sandbox, wanted.customer)
    if wanted.invoice_no:
        billograms.new_invoice_no(context.sandbox, billogram_id, wanted.invoice_no)
    attachments.apply_fields(context.sandbox, doc, context.body, wanted.attachment, wanted.attachment_content)
    _normalize(context, doc, wanted.model_fields_set, own["bookkeeping"])
    return doc


def _next_command(wanted: NewBillogram) -> OnSuccess | None:
    if wanted.event and wanted.on_success:
        text = "_event and on_success exclude each other"
        raise ApiError(400, "INVALID_PARAMETER_COMBINATION", text, "_event")
    return OnSuccess(command="sell") if wanted.event else wanted.on_success


def _run_on_success(context: RequestContext, doc: Json, wanted: OnSuccess | None) -> None:
    """In the same transaction: if it fails, nothing is created or changed."""
    if wanted is None:
        return
    if doc["state"] != UNATTESTED:
        raise wrong_state(f"{wanted.command} is not possible in state {doc['state']}")
    if wanted.command == "sell":
        factoring.sell(context, doc, {})
    elif wanted.method is None:
        raise invalid("Method not set", "method", ["on_success"])
    else:
        sending.send(context, doc, {"method": wanted.method}, ["on_success"])


def _account_defaults(doc: Json, wanted: NewBillogram, own: Json) -> Json:
    """The account's defaults for what the caller did not give."""
    given_keys = wanted.model_fields_set
    defaults = {name: own[f"default_{name}"] for name in ("reminder_fee", "invoice_fee", "interest_rate")}
    defaults |= {name: own[name] for name in ("show_item_gross_prices", "pdf")}
    if "automatic_reminders_settings" not in given_keys:
        defaults |= _account_reminders(own)
    if "message" not in wanted.info.model_fields_set:
        doc["info"]["message"] = own["default_message"]
    return {key: value for key, value in defaults.items() if key not in given_keys}


def _account_reminders(own: Json) -> Json:
    ladder = own["automatic_reminders"]
    return {"automatic_reminders_settings": ladder, "automatic_reminders": bool(ladder)}


def _without_unchanged(body: Json, old: Json, fixed: Collection[str]) -> Json:
    """Drops read-only keys, and a draft's dates, that equal what was shown: a caller may send a response back."""
    unchanged = {*fixed, *(DATES if all(body.get(key) == old[key] for key in DATES) else ())}
    return {key: value for key, value in body.items() if key not in unchanged or value != old.get(key)}


def _changed(context: RequestContext, old: Json, change: BillogramChange) -> Json:
    """Rows are replaced as a whole, other objects key by key. A new due date drops the due days, and vice versa."""
    values, own = given_fields(change), settings.load(context.sandbox.database)
    doc = merge(old, {key: value for key, value in values.items() if key not in NOT_STORED})
    if change.customer:
        doc["customer"] = customers.copy_for_billogram(context.sandbox, change.customer, old["customer"])
    if "due_days" in values and "due_date" not in values:
        doc["due_date"] = None
    elif "due_date" in values and "due_days" not in values:
        doc["due_days"] = None
    if context.body.get("automatic_reminders_settings", ()) is None:
        doc |= {key: value for key, value in _account_reminders(own["invoices"]).items() if key not in values}
    attachments.apply_fields(context.sandbox, doc, context.body, change.attachment, change.attachment_content)
    _normalize(context, doc, values, own["bookkeeping"])
    return doc


def _normalize(context: RequestContext, doc: Json, given_keys: Collection[str], bookkeeping: Json) -> None:
    """Validates a created or changed billogram, and computes what follows from its values."""
    if "creditor_unique_value" in given_keys:
        _require_unique(context.sandbox, doc)
    if doc["state"] == UNATTESTED:
        _normalize_dates(context, doc)
    if "automatic_reminders_settings" in given_keys and "automatic_reminders" not in given_keys:
        doc["automatic_reminders"] = bool(doc["automatic_reminders_settings"])
    if {"automatic_reminders", "automatic_reminders_settings"}.intersection(given_keys):
        doc["_is_silent"] = not doc["automatic_reminders"]
    _require_lawful_fee(context.sandbox, doc)
    settings.fill_accounts(doc["items"], bookkeeping)
    update_sums(doc)
    _require_sum(doc)


def _normalize_dates(context: RequestContext, doc: Json) -> None:
    billograms.require_dates(doc, context.sandbox.clock.today())
    if doc["due_date"]:
        doc["due_days"] = None
    doc["invoice_fee_vat"] = INVOICE_FEE_VAT if doc["invoice_fee"] else 0


def _require_lawful_fee(sandbox: Sandbox, doc: Json) -> None:
    customer = customers.find(sandbox, doc["customer"]["customer_no"])
    most = statute.reminder_fee_max(doc["currency"], customer["company_type"] if customer else "individual")
    if most is not None and doc["reminder_fee"] > most:
        raise invalid(f"the reminder fee is more than the law allows, {most} {doc['currency']}", "reminder_fee")


def _require_sum(doc: Json) -> None:
    if doc["total_sum"] < 0:
        raise ApiError(403, "PERMISSION_DENIED", "the total is negative: stand-alone credit invoices are not enabled")
    if doc["total_sum"] >= TOTAL_MAX:
        raise invalid("the total is too large", "items")


def _require_unique(sandbox: Sandbox, doc: Json) -> None:
    sql = "SELECT id FROM billograms WHERE json_extract(doc, '$.creditor_unique_value') = ?"
    if sandbox.database.scalar(sql, doc["creditor_unique_value"]) not in (None, doc["id"]):
        raise invalid("Billogram with same creditor_unique_value already exists", "creditor_unique_value")
