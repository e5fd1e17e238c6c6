"""Commands on a billogram: send, payment, credit. What money does to it lives in settlement."""

import secrets
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox import billograms, events, settlement
from billogram_sandbox.billogram_shapes import Row
from billogram_sandbox.call import Call
from billogram_sandbox.clock import instant, stamp, start_of_next_day
from billogram_sandbox.documents import Json
from billogram_sandbox.envelope import Path, Problem, invalid, wrong_state
from billogram_sandbox.money import sums
from billogram_sandbox.ocr import ocr_number
from billogram_sandbox.shapes import Amount, Method, Number, Shape, read
from billogram_sandbox.states import CREDITABLE, ENDED, UNATTESTED, UNPAID, UNPAID_FAMILY

OCR_BASE = 10_000_000


class Send(Shape):
    method: Method


class Payment(Shape):
    amount: Amount


class CreditRow(Row):
    count: Annotated[Number, Field(lt=0)]


class Credit(Shape):
    mode: Literal["full", "remaining", "amount", "items"]
    amount: Amount | None = None
    items: Annotated[list[CreditRow], Field(min_length=1, max_length=1000)] | None = None
    method: Method | None = None


def run(call: Call) -> Json:
    command = COMMANDS.get(call.path["command"])
    if command is None:
        raise Problem(404, "NOT_FOUND", f"no command {call.path['command']}")
    doc = billograms.load_one(call.sandbox, call.path["id"])
    command(call, doc, call.body, [])
    return billograms.shown(call, doc)


def send(call: Call, doc: Json, body: Json, path: Path) -> None:
    method = read(Send, body).method
    _require_state(doc, {UNATTESTED}, "send")
    _require_deliverable(doc["customer"], method, path)
    _attest(call, doc, method)
    now, letter = call.sandbox.clock.now(), _letter(doc, doc["invoice_no"], method)
    sent = letter | {key: doc[key] for key in ("total_sum", "remaining_sum")}
    doc["state"] = UNPAID
    events.record(call.sandbox, doc, "BillogramSent", now, sent)
    if doc["total_sum"] > 0:
        _watch_due_date(call, doc)
    else:
        settlement.end(call.sandbox, doc, ENDED, now)
    billograms.save(call.sandbox, doc, now)


def payment(call: Call, doc: Json, body: Json, _: Path) -> None:
    amount = read(Payment, body).amount
    _require_state(doc, UNPAID_FAMILY, "payment")
    settlement.pay(call.sandbox, doc, amount, {"manual": True, "payer_name": None})


def credit(call: Call, doc: Json, body: Json, _: Path) -> None:
    wanted = read(Credit, body)
    _require_state(doc, CREDITABLE, "credit")
    amount = CREDITS[wanted.mode](doc, wanted)
    if not 0 < amount <= settlement.creditable(doc):
        raise invalid("the amount is not between zero and what can be credited", "amount")
    method = wanted.method or doc["delivery_method"]
    invoice_no = billograms.new_invoice_no(call.sandbox, doc["id"])
    settlement.credit(call.sandbox, doc, amount, _letter(doc, invoice_no, method))


COMMANDS: dict[str, Callable[[Call, Json, Json, Path], None]] = {
    "send": send,
    "payment": payment,
    "credit": credit,
}


def _credited_amount(_: Json, wanted: Credit) -> Decimal:
    if wanted.amount is None:
        raise invalid("Amount not set", "amount")
    return wanted.amount


def _credited_rows(doc: Json, wanted: Credit) -> Decimal:
    """A credit invoice is summed and rounded like any other."""
    if not wanted.items:
        raise invalid("Items not set", "items")
    rows = [row.model_dump() for row in wanted.items]
    return -Decimal(sums(rows, doc["currency"])["total"])


CREDITS: dict[str, Callable[[Json, Credit], Decimal]] = {
    "full": lambda doc, _: settlement.creditable(doc),
    "remaining": lambda doc, _: Decimal(doc["remaining_sum"]),
    "amount": _credited_amount,
    "items": _credited_rows,
}


def _attest(call: Call, doc: Json, method: str) -> None:
    """Sending makes the draft an invoice: its dates, number, reference, and address are set now."""
    billograms.require_dates(doc, call.sandbox.clock.today())
    doc |= billograms.dates(doc, call.sandbox.clock.today())
    if doc["invoice_no"] is None:
        doc["invoice_no"] = billograms.new_invoice_no(call.sandbox, doc["id"])
    ocr = ocr_number(str(OCR_BASE + doc["invoice_no"]))
    url = f"/r/{ocr}/{billograms.token(5)}"
    attested = stamp(call.sandbox.clock.now())
    doc |= {"ocr_number": ocr, "url": url, "attested_at": attested, "delivery_method": method}


def _watch_due_date(call: Call, doc: Json) -> None:
    """It becomes overdue when the day after the due date begins; a back-dated one at once."""
    overdue = start_of_next_day(date.fromisoformat(doc["due_date"]))
    doc["_wakes_at"] = instant(max(overdue, call.sandbox.clock.now()))
    call.sandbox.timeline_changed.set()


def _letter(doc: Json, invoice_no: int, method: str) -> Json:
    letter_id = f"{doc['id']}-{secrets.token_hex(14)}"
    return {"invoice_no": invoice_no, "letter_id": letter_id, "delivery_method": method}


def _require_state(doc: Json, allowed: frozenset[str] | set[str], command: str) -> None:
    if doc["state"] not in allowed:
        raise wrong_state(f"{command} is not possible in state {doc['state']}")


def _require_deliverable(customer: Json, method: str, path: Path) -> None:
    address = customer["address"]
    street = address["street_address"] or address["address_line_1"]
    there = {
        "Letter": (street and address["zipcode"] and address["city"], "address missing"),
        "Email": (customer["email"], "e-mail address missing"),
        "SMS": (customer["phone"], "phone missing"),
    }
    for channel in method.split("+"):
        value, lack = there.get(channel, (True, ""))
        if not value:
            raise invalid(f"invalid delivery method, {lack}", "method", path or None)
