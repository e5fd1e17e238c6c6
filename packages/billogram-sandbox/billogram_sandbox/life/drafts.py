"""A billogram as it is written: created, changed, deleted. What a change means once it was sent lives in amendments."""

from collections.abc import Collection
from datetime import datetime

from billogram_sandbox.account import settings
from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import stamp
from billogram_sandbox.core.documents import Json, dump, merged
from billogram_sandbox.core.envelope import Problem, invalid, wrong_state
from billogram_sandbox.life import amendments, attachments, billograms, factoring, sending
from billogram_sandbox.registers import customers, items
from billogram_sandbox.registers.recipients import recipient
from billogram_sandbox.rules import statute
from billogram_sandbox.rules.money import NO_SUMS, sum_up
from billogram_sandbox.rules.states import DELETED, UNATTESTED
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.billogram import BillogramChange, NewBillogram, OnSuccess
from billogram_sandbox.shapes.values import given, read

FEE_VAT = 25
TOTAL_MAX = 10**12
BLANK: Json = {
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
    "detailed_sums": NO_SUMS,
    "offers": [],
    "sales_accepted": None,
    "attested_at": None,
}
READ_ONLY = frozenset({"id", "events", "created_at", "updated_at", *BLANK})
READ_ONLY_LATER = READ_ONLY | {"invoice_no"}
DATES = ("invoice_date", "due_date", "due_days")
FIXED_WHEN_SENT = READ_ONLY_LATER | {*DATES, "creditor_unique_value", "invoice_fee", "currency"}
NOT_KEPT = {"customer", "attachment", "attachment_content", "on_success", "event"}


def create(call: Call) -> Json:
    wanted = read(NewBillogram, items.filled(call.sandbox, call.body), READ_ONLY)
    now = call.sandbox.clock.now()
    doc = _new(call, wanted, now)
    call.sandbox.database.run("INSERT INTO billograms (id, doc) VALUES (?, ?)", doc["id"], dump(doc))
    events.record(call.sandbox, doc, "BillogramCreated", now)
    _go_on(call, doc, _next_command(wanted))
    return billograms.shown(call, doc)


def update(call: Call) -> Json:
    old = billograms.load_one(call.sandbox, call.path["id"])
    is_draft = old["state"] == UNATTESTED
    fixed = READ_ONLY_LATER if is_draft else FIXED_WHEN_SENT
    body = _unlike(items.filled(call.sandbox, call.body), billograms.full(call, old), fixed)
    change = read(BillogramChange, body, fixed)
    if not is_draft:
        amendments.require_open(old)
    doc = _changed(call, old, change)
    if is_draft:
        events.record(call.sandbox, doc, "DataChange", call.sandbox.clock.now())
        billograms.save(call.sandbox, doc, call.sandbox.clock.now())
    else:
        amendments.settle(call.sandbox, old, doc)
    _go_on(call, doc, change.on_success)
    return billograms.shown(call, doc)


def delete(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    if doc["state"] != UNATTESTED:
        raise wrong_state(f"only an Unattested billogram can be deleted, not one in state {doc['state']}")
    events.record(call.sandbox, doc | {"state": DELETED}, "Deleted", call.sandbox.clock.now())
    attachments.remove(call.sandbox, doc["id"])
    for sql in ("billograms WHERE id = ?", "events WHERE billogram_id = ?", "invoices WHERE billogram_id = ?"):
        call.sandbox.database.run(f"DELETE FROM {sql}", doc["id"])
    return {"status": "OK", "data": {}}


def _new(call: Call, wanted: NewBillogram, now: datetime) -> Json:
    billogram_id = billograms.token(8)
    own = settings.load(call.sandbox.database)
    doc = {"id": billogram_id, "attachment": None} | wanted.model_dump(exclude=NOT_KEPT) | BLANK
    doc |= {"created_at": stamp(now), "updated_at": stamp(now), "_wakes_at": None}
    doc |= _usual(doc, wanted, own["invoices"])
    doc["customer"] = recipient(call.sandbox, wanted.customer)
    if wanted.invoice_no:
        billograms.new_invoice_no(call.sandbox, billogram_id, wanted.invoice_no)
    attachments.settle(call.sandbox, doc, call.body, wanted.attachment, wanted.attachment_content)
    _settle(call, doc, wanted.model_fields_set, own["bookkeeping"])
    return doc


def _next_command(wanted: NewBillogram) -> OnSuccess | None:
    if wanted.event and wanted.on_success:
        text = "_event and on_success exclude each other"
        raise Problem(400, "INVALID_PARAMETER_COMBINATION", text, "_event")
    return OnSuccess(command="sell") if wanted.event else wanted.on_success


def _go_on(call: Call, doc: Json, wanted: OnSuccess | None) -> None:
    """In the same transaction: if this fails, nothing was created or changed either."""
    if wanted is None:
        return
    if doc["state"] != UNATTESTED:
        raise wrong_state(f"{wanted.command} is not possible in state {doc['state']}")
    if wanted.command == "sell":
        factoring.sell(call, doc, {})
    elif wanted.method is None:
        raise invalid("Method not set", "method", ["on_success"])
    else:
        sending.send(call, doc, {"method": wanted.method}, ["on_success"])


def _usual(doc: Json, wanted: NewBillogram, own: Json) -> Json:
    """What the account says holds unless the caller says otherwise."""
    said = wanted.model_fields_set
    usual = {name: own[f"default_{name}"] for name in ("reminder_fee", "invoice_fee", "interest_rate")}
    usual |= {name: own[name] for name in ("show_item_gross_prices", "pdf")}
    if "automatic_reminders_settings" not in said:
        usual |= _ladder(own)
    if "message" not in wanted.info.model_fields_set:
        doc["info"]["message"] = own["default_message"]
    return {key: value for key, value in usual.items() if key not in said}


def _ladder(own: Json) -> Json:
    ladder = own["automatic_reminders"]
    return {"automatic_reminders_settings": ladder, "automatic_reminders": bool(ladder)}


def _unlike(body: Json, old: Json, fixed: Collection[str]) -> Json:
    """Whoever sends back what was shown changes no read-only key, and does not fix the dates of a draft."""
    as_shown = {*fixed, *(DATES if all(body.get(key) == old[key] for key in DATES) else ())}
    return {key: value for key, value in body.items() if key not in as_shown or value != old.get(key)}


def _changed(call: Call, old: Json, change: BillogramChange) -> Json:
    """Rows are replaced as a whole, other structures key by key; a new due date drops the days, and vice versa."""
    said, own = given(change), settings.load(call.sandbox.database)
    doc = merged(old, {key: value for key, value in said.items() if key not in NOT_KEPT})
    if change.customer:
        doc["customer"] = recipient(call.sandbox, change.customer, old["customer"])
    if "due_days" in said and "due_date" not in said:
        doc["due_date"] = None
    elif "due_date" in said and "due_days" not in said:
        doc["due_days"] = None
    if call.body.get("automatic_reminders_settings", ()) is None:
        doc |= {key: value for key, value in _ladder(own["invoices"]).items() if key not in said}
    attachments.settle(call.sandbox, doc, call.body, change.attachment, change.attachment_content)
    _settle(call, doc, said, own["bookkeeping"])
    return doc


def _settle(call: Call, doc: Json, said: Collection[str], bookkeeping: Json) -> None:
    """What must hold of a billogram however it came about, and what follows from its values."""
    if "creditor_unique_value" in said:
        _require_unique(call.sandbox, doc)
    if doc["state"] == UNATTESTED:
        _settle_dates(call, doc)
    if "automatic_reminders_settings" in said and "automatic_reminders" not in said:
        doc["automatic_reminders"] = bool(doc["automatic_reminders_settings"])
    if {"automatic_reminders", "automatic_reminders_settings"}.intersection(said):
        doc["_is_silent"] = not doc["automatic_reminders"]
    _require_lawful(call.sandbox, doc)
    settings.booked(doc["items"], bookkeeping)
    sum_up(doc)
    _require_sum(doc)


def _settle_dates(call: Call, doc: Json) -> None:
    billograms.require_dates(doc, call.sandbox.clock.today())
    if doc["due_date"]:
        doc["due_days"] = None
    doc["invoice_fee_vat"] = FEE_VAT if doc["invoice_fee"] else 0


def _require_lawful(sandbox: Sandbox, doc: Json) -> None:
    customer = customers.find(sandbox, doc["customer"]["customer_no"])
    most = statute.reminder_fee_max(doc["currency"], customer["company_type"] if customer else "individual")
    if most is not None and doc["reminder_fee"] > most:
        raise invalid(f"the reminder fee is more than the law allows, {most} {doc['currency']}", "reminder_fee")


def _require_sum(doc: Json) -> None:
    if doc["total_sum"] < 0:
        raise Problem(403, "PERMISSION_DENIED", "the total is negative: stand-alone credit invoices are not enabled")
    if doc["total_sum"] >= TOTAL_MAX:
        raise invalid("the total is too large", "items")


def _require_unique(sandbox: Sandbox, doc: Json) -> None:
    sql = "SELECT id FROM billograms WHERE json_extract(doc, '$.creditor_unique_value') = ?"
    if sandbox.database.scalar(sql, doc["creditor_unique_value"]) not in (None, doc["id"]):
        raise invalid("Billogram with same creditor_unique_value already exists", "creditor_unique_value")
