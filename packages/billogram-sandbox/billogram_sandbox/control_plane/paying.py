"""Swish and card, simulated: a payment is asked for, then paid, declined, or left until it expires.

    status     how it came about                                  tells of the billogram
    created    start()                                            nothing
    paid       settle(…, "paid")                                  Payment, and what follows from it
    declined   settle(…, "declined")                              PaymentFailed
    expired    settle(…, "expired"), or its time is over          nothing

`start(call, doc, method)` asks for what remains of a sent billogram, or for `amount`; `find(sandbox, id)` tells how it
stands; `settle(call, id, outcome)` ends it, once. All three answer with the request. What can't be is a Refusal.
"""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.control_plane.control import Refusal
from billogram_sandbox.core.clock import civil_day, instant, parse_instant
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.life import billograms, settlement
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.states import UNATTESTED
from billogram_sandbox.sandbox import Sandbox

PayMethod = Literal["swish", "card"]
Outcome = Literal["paid", "declined", "expired"]
LIVES_FOR: dict[PayMethod, timedelta] = {"swish": timedelta(minutes=3), "card": timedelta(minutes=15)}
CREATED, EXPIRED = "created", "expired"
REASONS = {"declined": "declined by the payer"}


def start(call: Call, doc: Json, method: PayMethod, amount: Decimal | None = None) -> Json:
    """The message is what a bank or Swish shows, and what finds the billogram again: the OCR number (PAY-9)."""
    wanted, now = hundredths(doc["remaining_sum"] if amount is None else amount), call.sandbox.clock.now()
    if doc["state"] == UNATTESTED:
        raise Refusal(409, "a draft can't be paid: send it first")
    if wanted <= 0:
        raise Refusal(409, "nothing remains to be paid: say which amount")
    request: Json = {
        "id": uuid.uuid4().hex,
        "billogram_id": doc["id"],
        "method": method,
        "amount": wanted,
        "currency": doc["currency"],
        "message": doc["ocr_number"],
        "status": CREATED,
        "created_at": instant(now),
        "expires_at": instant(now + LIVES_FOR[method]),
        "settled_at": None,
    }
    sql = "INSERT INTO payment_requests (id, billogram_id, doc) VALUES (?, ?, ?)"
    call.sandbox.database.run(sql, request["id"], doc["id"], dump(request))
    return request


def find(sandbox: Sandbox, request_id: str) -> Json:
    """Nobody writes down that its time is over: who looks sees it."""
    text = sandbox.database.scalar("SELECT doc FROM payment_requests WHERE id = ?", request_id)
    if text is None:
        raise Refusal(404, f"no payment request {request_id}")
    request: Json = load(text)
    is_over = request["status"] == CREATED and sandbox.clock.now() >= parse_instant(request["expires_at"])
    return request | ({"status": EXPIRED, "settled_at": request["expires_at"]} if is_over else {})


def settle(call: Call, request_id: str, outcome: Outcome, payer_name: str | None = None) -> Json:
    """What was asked for is paid, also if the invoice was settled meanwhile: then it is too much."""
    request, now = find(call.sandbox, request_id), call.sandbox.clock.now()
    if request["status"] != CREATED:
        raise Refusal(409, f"the request is {request['status']} already")
    doc = billograms.load_one(call.sandbox, request["billogram_id"])
    request |= {"status": outcome, "settled_at": instant(now)}
    call.sandbox.database.run("UPDATE payment_requests SET doc = ? WHERE id = ?", dump(request), request_id)
    if outcome == "paid":
        how = {"manual": False, "payer_name": payer_name, "payment_type": request["method"]}
        settlement.pay(call.sandbox, doc, Decimal(request["amount"]), how)
    elif outcome in REASONS:
        _tell_failure(call.sandbox, doc, request, REASONS[outcome])
    return request


def _tell_failure(sandbox: Sandbox, doc: Json, request: Json, reason: str) -> None:
    now = sandbox.clock.now()
    data = {
        "payment_type": request["method"],
        "payment_date": str(civil_day(now)),
        "payment_amount": request["amount"],
        "payment_update_reason": None,
        "payment_failure_reason": reason,
    }
    events.record(sandbox, doc, "PaymentFailed", now, data)
    billograms.save(sandbox, doc, now)
