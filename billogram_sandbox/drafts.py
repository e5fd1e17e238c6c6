"""The life of a draft: created, changed, deleted. Sending it is a command."""

from datetime import datetime

from billogram_sandbox import account, billograms, customers, events, sending, statute
from billogram_sandbox.billogram_shapes import BillogramChange, NewBillogram, Recipient
from billogram_sandbox.call import Call
from billogram_sandbox.clock import stamp
from billogram_sandbox.documents import Json, dump, merged
from billogram_sandbox.envelope import invalid, wrong_state
from billogram_sandbox.money import NO_SUMS, sum_up
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes import read
from billogram_sandbox.states import DELETED, UNATTESTED

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
    "attachment": None,
    "contract": None,
    "offers": [],
    "sales_accepted": None,
    "attested_at": None,
}
READ_ONLY = frozenset({"id", "events", "created_at", "updated_at", *BLANK})
READ_ONLY_LATER = READ_ONLY | {"invoice_no"}
DATES = ("invoice_date", "due_date", "due_days")
COPIED = ("customer_no", "name", "org_no", "vat_no")


def create(call: Call) -> Json:
    if "_event" in call.body:
        raise invalid("selling is not possible", "_event")
    wanted = read(NewBillogram, call.body, READ_ONLY)
    now = call.sandbox.clock.now()
    doc = _new(call, wanted, now)
    call.sandbox.database.run("INSERT INTO billograms (id, doc) VALUES (?, ?)", doc["id"], dump(doc))
    events.record(call.sandbox, doc, "BillogramCreated", now)
    if wanted.on_success:
        sending.send(call, doc, {"method": wanted.on_success.method}, ["on_success"])
    return billograms.shown(call, doc)


def update(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    old = billograms.full(call, doc)
    change = read(BillogramChange, _unlike(call.body, old), READ_ONLY_LATER)
    _require_draft(doc)
    doc = _changed(call, doc, change)
    billograms.save(call.sandbox, doc, call.sandbox.clock.now())
    events.record(call.sandbox, doc, "DataChange", call.sandbox.clock.now())
    return billograms.shown(call, doc)


def delete(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    _require_draft(doc)
    events.record(call.sandbox, doc | {"state": DELETED}, "Deleted", call.sandbox.clock.now())
    for sql in ("billograms WHERE id = ?", "events WHERE billogram_id = ?", "invoices WHERE billogram_id = ?"):
        call.sandbox.database.run(f"DELETE FROM {sql}", doc["id"])
    return {"status": "OK", "data": {}}


def _new(call: Call, wanted: NewBillogram, now: datetime) -> Json:
    billogram_id = billograms.token(8)
    doc = {"id": billogram_id} | wanted.model_dump(exclude={"on_success"}) | BLANK
    doc |= {"created_at": stamp(now), "updated_at": stamp(now), "_wakes_at": None}
    doc |= _account_defaults(call.sandbox, wanted.model_fields_set)
    doc["customer"] = _recipient(call.sandbox, wanted.customer)
    if wanted.invoice_no:
        billograms.new_invoice_no(call.sandbox, billogram_id, wanted.invoice_no)
    _settle(call, doc, wanted.model_fields_set)
    return doc


def _account_defaults(sandbox: Sandbox, given: set[str]) -> Json:
    """What the account says of reminders holds unless the caller says otherwise."""
    own = account.load(sandbox.database)
    ladder = own["automatic_reminders"]
    defaults = {"reminder_fee": own["default_reminder_fee"], "interest_rate": own["default_interest_rate"]}
    if "automatic_reminders_settings" not in given:
        defaults |= {"automatic_reminders_settings": ladder, "automatic_reminders": bool(ladder)}
    return {key: value for key, value in defaults.items() if key not in given}


def _unlike(body: Json, old: Json) -> Json:
    """Whoever sends back what was shown changes no read-only key, and does not fix the dates of a draft."""
    as_shown = {*READ_ONLY_LATER, *(DATES if all(body.get(key) == old[key] for key in DATES) else ())}
    return {key: value for key, value in body.items() if key not in as_shown or value != old.get(key)}


def _changed(call: Call, old: Json, change: BillogramChange) -> Json:
    """Rows and reminders are replaced as a whole, other structures key by key; a new due date drops the days, and vice
    versa."""
    given = change.model_fields_set
    doc = merged(old, change.model_dump(exclude_unset=True, exclude={"customer", "items"}))
    if change.items:
        doc["items"] = [row.model_dump() for row in change.items]
    if "automatic_reminders_settings" in given:
        doc["automatic_reminders_settings"] = [each.model_dump() for each in change.automatic_reminders_settings]
    if change.customer:
        doc["customer"] = _recipient(call.sandbox, change.customer)
    if "due_days" in given and "due_date" not in given:
        doc["due_date"] = None
    elif "due_date" in given and "due_days" not in given:
        doc["due_days"] = None
    _settle(call, doc, given)
    return doc


def _settle(call: Call, doc: Json, given: set[str]) -> None:
    """What must hold of a draft however it came about, and what follows from its values."""
    if "creditor_unique_value" in given:
        _require_unique(call.sandbox, doc)
    billograms.require_dates(doc, call.sandbox.clock.today())
    if doc["due_date"]:
        doc["due_days"] = None
    doc["invoice_fee_vat"] = FEE_VAT if doc["invoice_fee"] else 0
    if "automatic_reminders_settings" in given and "automatic_reminders" not in given:
        doc["automatic_reminders"] = bool(doc["automatic_reminders_settings"])
    if {"automatic_reminders", "automatic_reminders_settings"} & given:
        doc["_is_silent"] = not doc["automatic_reminders"]
    _require_lawful(call.sandbox, doc)
    sum_up(doc)
    if not 0 <= doc["total_sum"] < TOTAL_MAX:
        raise invalid("the total is negative or too large", "items")


def _require_lawful(sandbox: Sandbox, doc: Json) -> None:
    customer = customers.find(sandbox, doc["customer"]["customer_no"])
    most = statute.reminder_fee_max(doc["currency"], customer["company_type"] if customer else "individual")
    if most is not None and doc["reminder_fee"] > most:
        raise invalid(f"the reminder fee is more than the law allows, {most} {doc['currency']}", "reminder_fee")


def _recipient(sandbox: Sandbox, wanted: Recipient) -> Json:
    """A flat copy of the customer as it is now, with what the caller wants different; the city upper-cased."""
    customer = customers.find(sandbox, wanted.customer_no)
    if customer is None:
        raise invalid(f"object not found with id={wanted.customer_no}", "customer_no", ["customer"])
    copy: Json = {key: customer[key] for key in COPIED}
    copy |= {key: customer["contact"][key] for key in ("email", "phone")}
    copy |= {key: customer[key] for key in ("address", "delivery_address")}
    copy = merged(copy, wanted.model_dump(exclude_unset=True, exclude_none=True))
    copy["address"]["city"] = (copy["address"]["city"] or "").upper()
    return copy


def _require_unique(sandbox: Sandbox, doc: Json) -> None:
    sql = "SELECT id FROM billograms WHERE json_extract(doc, '$.creditor_unique_value') = ?"
    if sandbox.database.scalar(sql, doc["creditor_unique_value"]) not in (None, doc["id"]):
        raise invalid("Billogram with same creditor_unique_value already exists", "creditor_unique_value")


def _require_draft(doc: Json) -> None:
    if doc["state"] != UNATTESTED:
        raise wrong_state(f"only an Unattested billogram can be changed or deleted, not one in state {doc['state']}")
