"""The responses of the control plane."""

from typing import Literal

from billogram_sandbox.account.web_settings import Account
from billogram_sandbox.api.responses.billograms import Billogram
from billogram_sandbox.api.responses.callbacks import EinvoiceCallback, EventCallback, RecallCallback, TabCallback
from billogram_sandbox.control_plane import bank_payments
from billogram_sandbox.shapes.values import Instant, Number, Shape, Text


class Attempt(Shape):
    at: Instant
    status: int | None
    error: Text


class Callback(Shape):
    callback_id: str
    billogram_id: str
    type: str
    custom: Text
    outcome: Literal["pending", "delivered", "given_up", "dropped"]
    body: EventCallback | RecallCallback | EinvoiceCallback | TabCallback
    attempts: list[Attempt]


class AllCallbacks(Shape):
    total_count: int
    callbacks: list[Callback]


class AllBillograms(Shape):
    billograms: list[Billogram]


class ClockResponse(Shape):
    now: Instant
    next_due: Instant | None
    callbacks_pending: int
    callbacks_due: int


class AccountResponse(Account):
    pass


class StatsResponse(Shape):
    requests: dict[str, int]
    total: int
    struck: dict[str, int]
    """How many requests each fault has hit."""


class Payment(bank_payments.BankRow):
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
    """What the collector received, keeps, and still claims."""

    received: Number
    passed_on: Number
    collection_fee: Number
    plan_fee: Number
    kept: Number
    claim: Number
    fees_left: Number
