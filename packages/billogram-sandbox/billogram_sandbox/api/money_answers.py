"""What the control plane answers of money: payments, requests for them, and the collector's books."""

from typing import Literal

from billogram_sandbox.control_plane import payments
from billogram_sandbox.shapes.values import Instant, Number, Shape, Text


class Payment(payments.Row):
    id: str
    received_at: Instant
    billogram_id: Text
    reason: Literal["malformed", "check_digit", "length_digit", "unknown", "currency"] | None
    suggested_billogram_id: Text


class Payments(Shape):
    payments: list[Payment]


class PaymentRequest(Shape):
    id: str
    billogram_id: str
    method: Literal["swish", "card"]
    amount: Number
    currency: str
    message: str
    status: Literal["created", "paid", "declined", "expired"]
    created_at: Instant
    expires_at: Instant
    settled_at: Instant | None


class Books(Shape):
    """What the collector got, keeps, and still claims."""

    received: Number
    passed_on: Number
    collection_fee: Number
    plan_fee: Number
    kept: Number
    claim: Number
    fees_left: Number
