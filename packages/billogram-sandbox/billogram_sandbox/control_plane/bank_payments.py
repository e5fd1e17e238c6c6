"""Payments from a bank's file: allocated to a billogram by reference, else queued for manual allocation.

    reference                                                  result
    the OCR number of a billogram, in its currency             allocated, whatever remains, in any state
    not 2 to 25 digits                                         queued: malformed
    wrong check digit (the last)                               queued: check_digit
    wrong length digit (the last but one)                      queued: length_digit
    the OCR number of no billogram                             queued: unknown
    the OCR number of a billogram in another currency          queued: currency

Spaces are ignored. A row with a known `bank_reference` changes nothing. After a wrong digit a billogram is suggested if
exactly one open billogram is a single digit away and lacks that amount.
"""

import uuid
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.core.clock import format_instant
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ControlError, bad_query
from billogram_sandbox.core.lists import column
from billogram_sandbox.lifecycle import settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.ocr import reference_error
from billogram_sandbox.rules.states import OPEN, UNATTESTED
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.values import Amount, Shape, Text, parse

IS_ALLOCATED = f"{column('billogram_id')} IS NOT NULL"
CONDITIONS = {None: "1", "true": IS_ALLOCATED, "false": f"NOT {IS_ALLOCATED}"}


class BankRow(Shape):
    reference: Annotated[str, Field(max_length=100)]
    amount: Amount
    currency: Literal["SEK", "NOK", "EUR", "DKK"] = "SEK"
    payer_name: Text = None
    method: Literal["bankgiro", "swish", "autogiro", "card"] = "bankgiro"
    bank_reference: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class Allocation(Shape):
    billogram_id: str


def receive(context: RequestContext) -> Json:
    row = parse(BankRow, context.body)
    known = row.bank_reference and _find(context.sandbox, column("bank_reference"), row.bank_reference)
    if known:
        return known
    digits = row.reference.replace(" ", "")
    doc = _with_reference(context.sandbox, digits)
    reason = reference_error(digits) or (
        "unknown" if doc is None else "currency" if doc["currency"] != row.currency else None
    )
    payment: Json = (
        {"id": uuid.uuid4().hex} | row.model_dump() | {"received_at": format_instant(context.sandbox.clock.now())}
    )
    payment |= {"billogram_id": None, "reason": reason, "suggested_billogram_id": None}
    if doc is not None and reason is None:
        _allocate(context.sandbox, payment, doc)
    elif reason in ("check_digit", "length_digit"):
        payment["suggested_billogram_id"] = _suggest(context.sandbox, digits, row.amount)
    context.sandbox.database.execute("INSERT INTO payments (id, doc) VALUES (?, ?)", payment["id"], dump(payment))
    return payment


def listing(context: RequestContext) -> Json:
    wanted = context.query.get("allocated")
    if wanted not in CONDITIONS:
        raise bad_query("allocated is true or false", "allocated")
    rows = context.sandbox.database.rows(f"SELECT doc FROM payments WHERE {CONDITIONS[wanted]} ORDER BY seq")
    return {"payments": [load(row["doc"]) for row in rows]}


def allocate(context: RequestContext) -> Json:
    """Manual: overrides the reference, not the currency."""
    wanted, payment = parse(Allocation, context.body), _find(context.sandbox, "id", context.path["id"])
    if payment is None:
        raise ControlError(404, f"no payment {context.path['id']}")
    if payment["billogram_id"] is not None:
        raise ControlError(409, f"it is already allocated to the billogram {payment['billogram_id']}")
    doc = billograms.load_one(context.sandbox, wanted.billogram_id)
    if doc["state"] == UNATTESTED:
        raise ControlError(409, "a draft can't be paid; send it first")
    if doc["currency"] != payment["currency"]:
        raise ControlError(409, f"the billogram is in {doc['currency']}, the payment in {payment['currency']}")
    _allocate(context.sandbox, payment, doc)
    context.sandbox.database.execute("UPDATE payments SET doc = ? WHERE id = ?", dump(payment), payment["id"])
    return payment


def _allocate(sandbox: Sandbox, payment: Json, doc: Json) -> None:
    how = {"manual": False, "payer_name": payment["payer_name"], "payment_type": payment["method"]}
    settlement.pay(sandbox, doc, Decimal(payment["amount"]), how)
    payment["billogram_id"] = doc["id"]


def _with_reference(sandbox: Sandbox, digits: str) -> Json | None:
    sql = f"SELECT id FROM billograms WHERE {column('ocr_number')} = ?"
    billogram_id = sandbox.database.scalar(sql, digits)
    return None if billogram_id is None else billograms.load_one(sandbox, billogram_id)


def _suggest(sandbox: Sandbox, digits: str, amount: Decimal) -> str | None:
    candidates = (
        _with_reference(sandbox, each) for each in _one_digit_changed(digits) if reference_error(each) is None
    )
    matching = [doc["id"] for doc in candidates if doc and doc["state"] in OPEN and doc["remaining_sum"] == amount]
    return matching[0] if len(matching) == 1 else None


def _one_digit_changed(digits: str) -> list[str]:
    places = range(len(digits))
    return [digits[:at] + other + digits[at + 1 :] for at in places for other in "0123456789" if other != digits[at]]


def _find(sandbox: Sandbox, key: str, value: str) -> Json | None:
    text = sandbox.database.scalar(f"SELECT doc FROM payments WHERE {key} = ?", value)
    payment: Json | None = text and load(text)
    return payment
