"""Simulated Swish and card payment requests: created, then paid, declined, or expired.

status     set by                                    events of the billogram
created    create()                                  none
paid       settle(…, "paid")                         Payment, and what follows from it
declined   settle(…, "declined")                     PaymentFailed
expired    settle(…, "expired"), or the lifetime     none
"""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.clock import civil_day, format_instant, parse_instant
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ControlError
from billogram_sandbox.lifecycle import settlement
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.states import UNATTESTED
from billogram_sandbox.sandbox import Sandbox

PayMethod = Literal["swish", "card"]
Outcome = Literal["paid", "declined", "expired"]
LIFETIMES: dict[PayMethod, timedelta] = {"swish": timedelta(minutes=3), "card": timedelta(minutes=15)}
CREATED, EXPIRED = "created", "expired"
FAILURE_REASONS = {"declined": "declined by the payer"}


def create(context: RequestContext, doc: Json, method: PayMethod, amount: Decimal | None = None) -> Json:
    """For what remains, or for `amount`. The message, which the payer's bank shows, is the OCR number."""
    wanted, now = hundredths(doc["remaining_sum"] if amount is None else amount), context.sandbox.clock.now()
    if doc["state"] == UNATTESTED:
        raise ControlError(409, "a draft can't be paid; send it first")
    if wanted <= 0:
        raise ControlError(409, "nothing remains to be paid; give an amount")
    request: Json = {
        "id": uuid.uuid4().hex,
        "billogram_id": doc["id"],
        "method": method,
        "amount": wanted,
        "currency": doc["currency"],
        "message": doc["ocr_number"],
        "status": CREATED,
        "created_at": format_instant(now),
        "expires_at": format_instant(now + LIFETIMES[method]),
        "settled_at": None,
    }
    sql = "INSERT INTO payment_requests (id, billogram_id, doc) VALUES (?, ?, ?)"
    context.sandbox.database.execute(sql, request["id"], doc["id"], dump(request))
    return request


def find(sandbox: Sandbox, request_id: str) -> Json:
    """The expiry is computed on reading, never stored."""
    text = sandbox.database.scalar("SELECT doc FROM payment_requests WHERE id = ?", request_id)
    if text is None:
        raise ControlError(404, f"no payment request {request_id}")
    request: Json = load(text)
    is_expired = request["status"] == CREATED and sandbox.clock.now() >= parse_instant(request["expires_at"])
    return request | ({"status": EXPIRED, "settled_at": request["expires_at"]} if is_expired else {})


def settle(context: RequestContext, request_id: str, outcome: Outcome, payer_name: str | None = None) -> Json:
    """Ends a request, once. A payment of a settled invoice is an overpayment."""
    request, now = find(context.sandbox, request_id), context.sandbox.clock.now()
    if request["status"] != CREATED:
        raise ControlError(409, f"the request is already {request['status']}")
    doc = billograms.load_one(context.sandbox, request["billogram_id"])
    request |= {"status": outcome, "settled_at": format_instant(now)}
    context.sandbox.database.execute("UPDATE payment_requests SET doc = ? WHERE id = ?", dump(request), request_id)
    if outcome == "paid":
        how = {"manual": False, "payer_name": payer_name, "payment_type": request["method"]}
        settlement.pay(context.sandbox, doc, Decimal(request["amount"]), how)
    elif outcome in FAILURE_REASONS:
        _publish_failure(context.sandbox, doc, request, FAILURE_REASONS[outcome])
    return request


def _publish_failure(sandbox: Sandbox, doc: Json, request: Json, reason: str) -> None:
    now = sandbox.clock.now()
    data = {
        "payment_type": request["method"],
        "payment_date": str(civil_day(now)),
        "payment_amount": request["amount"],
        "payment_update_reason": None,
        "payment_failure_reason": reason,
    }
    events.publish(sandbox, doc, "PaymentFailed", now, data)
    billograms.save(sandbox, doc, now)
