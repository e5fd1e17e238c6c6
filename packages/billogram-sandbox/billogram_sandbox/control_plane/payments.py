"""Money as a bank's file brings it: rows with a reference, each on its billogram or in the queue of the unallocated.

    reference                                                  the payment goes
    an OCR number of a billogram, in its currency              to it, whatever remains and whatever its state
    not 2 to 25 digits                                         into the queue: malformed
    its last digit is not the check digit                      into the queue: check_digit
    its last but one is not the length digit                   into the queue: length_digit
    both digits hold, but no billogram has it                  into the queue: unknown
    of a billogram in another currency                         into the queue: currency

Spaces don't count. A row that comes again under the same `bank_reference` changes nothing (PAY-1). If its digits do not
hold, a billogram is suggested if exactly one open one is a single digit away and lacks that very amount (PAY-3); people
allocate it.
"""

import uuid
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.call import Call
from billogram_sandbox.control_plane.control import Refusal
from billogram_sandbox.core.clock import instant
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import bad_query
from billogram_sandbox.core.lists import column
from billogram_sandbox.life import billograms, settlement
from billogram_sandbox.rules.ocr import complaint
from billogram_sandbox.rules.states import OPEN, UNATTESTED
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.values import Amount, Shape, Text, read

IS_ALLOCATED = f"{column('billogram_id')} IS NOT NULL"
WANTED = {None: "1", "true": IS_ALLOCATED, "false": f"NOT {IS_ALLOCATED}"}


class Row(Shape):
    reference: Annotated[str, Field(max_length=100)]
    amount: Amount
    currency: Literal["SEK", "NOK", "EUR", "DKK"] = "SEK"
    payer_name: Text = None
    method: Literal["bankgiro", "swish", "autogiro", "card"] = "bankgiro"
    bank_reference: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class Allocation(Shape):
    billogram_id: str


def receive(call: Call) -> Json:
    row = read(Row, call.body)
    known = row.bank_reference and _where(call.sandbox, column("bank_reference"), row.bank_reference)
    if known:
        return known
    digits = row.reference.replace(" ", "")
    doc = _with_reference(call.sandbox, digits)
    reason = complaint(digits) or (
        "unknown" if doc is None else "currency" if doc["currency"] != row.currency else None
    )
    payment: Json = {"id": uuid.uuid4().hex} | row.model_dump() | {"received_at": instant(call.sandbox.clock.now())}
    payment |= {"billogram_id": None, "reason": reason, "suggested_billogram_id": None}
    if doc is not None and reason is None:
        _allocate(call.sandbox, payment, doc)
    elif reason in ("check_digit", "length_digit"):
        payment["suggested_billogram_id"] = _suggested(call.sandbox, digits, row.amount)
    call.sandbox.database.run("INSERT INTO payments (id, doc) VALUES (?, ?)", payment["id"], dump(payment))
    return payment


def listing(call: Call) -> Json:
    wanted = call.query.get("allocated")
    if wanted not in WANTED:
        raise bad_query("allocated is true or false", "allocated")
    rows = call.sandbox.database.rows(f"SELECT doc FROM payments WHERE {WANTED[wanted]} ORDER BY seq")
    return {"payments": [load(row["doc"]) for row in rows]}


def allocate(call: Call) -> Json:
    """By a person, who may know better than the reference, but not than the currency."""
    wanted, payment = read(Allocation, call.body), _where(call.sandbox, "id", call.path["id"])
    if payment is None:
        raise Refusal(404, f"no payment {call.path['id']}")
    if payment["billogram_id"] is not None:
        raise Refusal(409, f"it is on the billogram {payment['billogram_id']} already")
    doc = billograms.load_one(call.sandbox, wanted.billogram_id)
    if doc["state"] == UNATTESTED:
        raise Refusal(409, "nothing is paid on a draft: send it first")
    if doc["currency"] != payment["currency"]:
        raise Refusal(409, f"the billogram is in {doc['currency']}, the payment in {payment['currency']}")
    _allocate(call.sandbox, payment, doc)
    call.sandbox.database.run("UPDATE payments SET doc = ? WHERE id = ?", dump(payment), payment["id"])
    return payment


def _allocate(sandbox: Sandbox, payment: Json, doc: Json) -> None:
    how = {"manual": False, "payer_name": payment["payer_name"], "payment_type": payment["method"]}
    settlement.pay(sandbox, doc, Decimal(payment["amount"]), how)
    payment["billogram_id"] = doc["id"]


def _with_reference(sandbox: Sandbox, digits: str) -> Json | None:
    sql = f"SELECT id FROM billograms WHERE {column('ocr_number')} = ?"
    billogram_id = sandbox.database.scalar(sql, digits)
    return None if billogram_id is None else billograms.load_one(sandbox, billogram_id)


def _suggested(sandbox: Sandbox, digits: str, amount: Decimal) -> str | None:
    near = (_with_reference(sandbox, each) for each in _one_digit_off(digits) if complaint(each) is None)
    fitting = [doc["id"] for doc in near if doc and doc["state"] in OPEN and doc["remaining_sum"] == amount]
    return fitting[0] if len(fitting) == 1 else None


def _one_digit_off(digits: str) -> list[str]:
    places = range(len(digits))
    return [digits[:at] + other + digits[at + 1 :] for at in places for other in "0123456789" if other != digits[at]]


def _where(sandbox: Sandbox, key: str, value: str) -> Json | None:
    text = sandbox.database.scalar(f"SELECT doc FROM payments WHERE {key} = ?", value)
    payment: Json | None = text and load(text)
    return payment
