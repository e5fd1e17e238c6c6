"""The bodies of callbacks."""

from typing import Literal

from billogram_sandbox.api.responses.billograms import DetailedSums, Event, FreeObject
from billogram_sandbox.api.responses.envelope import ErrorResponse
from billogram_sandbox.shapes.values import Instant, Number, Shape, Stamp, Text


class CallbackHead(Shape):
    callback_id: str
    callback_type: str
    callback_timestamp: Instant
    signature: Text


class CallbackBillogram(Shape):
    id: str
    state: str
    ocr_number: Text
    total_sum: Number
    remaining_sum: Number
    attested_at: Stamp | None
    detailed_sums: DetailedSums


class EventCallback(CallbackHead):
    """Posted to the callback URL for each event."""

    callback_type: Literal["BillogramEvent"]
    custom: Text
    billogram: CallbackBillogram
    event: Event


class RecallCallback(CallbackHead):
    """Posted to the callback URL when a payment was recalled."""

    callback_type: Literal["PaymentRecalled"]
    payment_recall: FreeObject


class EinvoiceCallback(CallbackHead):
    """Posted to the account's callback URL for a message of the recipient's bank."""

    callback_type: Literal[
        "EinvoiceRegistrationCreated",
        "EinvoiceRegistrationDeleted",
        "EinvoiceRegistrationIdentificationMismatch",
        "EinvoiceRegistrationRecipientNotFound",
    ]
    recipient_information: dict[str, Text]


class CallbackTab(Shape):
    customer_number: str
    id: str


class TabFailure(Shape):
    type: Literal["BillogramCreationError"]
    response: ErrorResponse


class TabCallback(CallbackHead):
    """Posted to the account's callback URL when a tab could not be billed."""

    callback_type: Literal["BillingTab"]
    billing_tab: CallbackTab
    event: TabFailure
