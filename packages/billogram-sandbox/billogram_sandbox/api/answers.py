"""What the sandbox answers with, as its description tells it: Billogram's envelope, documents, and callbacks.

No handler makes its answer with these; the tests hold every answer that they get against them.
"""

from typing import Any, Generic, Literal, TypeVar

from billogram_sandbox.account.web_settings import Account
from billogram_sandbox.shapes.billogram import BillogramFields, Row
from billogram_sandbox.shapes.customer import CustomerAddress, CustomerChange, DeliveryAddress, Establishment
from billogram_sandbox.shapes.values import Instant, Method, Number, Shape, Stamp, Text

T = TypeVar("T")
Identifier = Literal[
    "MISSING_AUTH", "INVALID_AUTH", "PERMISSION_DENIED", "NOT_FOUND", "NOT_AVAILABLE_YET", "METHOD_NOT_ALLOWED",
    "MISSING_QUERY_PARAMETER", "INVALID_QUERY_PARAMETER", "INVALID_PARAMETER", "INVALID_PARAMETER_COMBINATION",
    "READ_ONLY_PARAMETER", "UNKNOWN_PARAMETER", "INVALID_OBJECT_STATE",
]  # fmt: skip
Free = dict[str, Any]  # Any: an object whose keys depend on what it tells of


class One(Shape, Generic[T]):
    status: Literal["OK"]
    data: T


class Meta(Shape):
    total_count: int


class Many(Shape, Generic[T]):
    status: Literal["OK"]
    meta: Meta
    data: list[T]


class Listed(Shape, Generic[T]):
    """Without pages."""

    status: Literal["OK"]
    data: list[T]


class BillogramMeta(Meta):
    total_remaining_sum: str


class Billograms(Shape, Generic[T]):
    status: Literal["OK"]
    meta: BillogramMeta
    data: list[T]


class Message(Shape):
    message: str


class Located(Message):
    field: str
    field_path: list[str | int] | None


class Refused(Shape):
    """How Billogram refuses."""

    status: Identifier
    data: Message | Located


class ControlRefused(Shape):
    """How the control plane refuses."""

    error: str


class Nothing(Shape):
    pass


class CustomerLinks(Shape):
    automatic_payments_setup_link: Text


class Customer(CustomerChange):
    customer_no: int
    links: CustomerLinks
    created_at: Stamp
    updated_at: Stamp | None


class Event(Shape):
    type: str
    created_at: Stamp
    data: Free | None
    event_uuid: str


class CustomerCopy(Shape):
    """The customer as it was when the billogram was made."""

    customer_no: int
    name: Text
    org_no: Text
    vat_no: Text
    email: Text
    phone: Text
    address: CustomerAddress
    delivery_address: DeliveryAddress
    permanent_establishment_address: Establishment


class SumsSweden(Shape):
    rotavdrag_sum: Number


class DetailedSums(Shape):
    net_sum: Number
    vat_sum: Number
    gross_sum: Number
    rounding: Number
    invoice_fee: Number
    invoice_fee_vat: Number
    reminder_fee: Number
    interest_fee: Number
    paid_sum: Number
    collector_paid_sum: Number
    credited_sum: Number
    remaining_sum: Number
    regional_sweden: SumsSweden


class Billogram(BillogramFields):
    id: str
    customer: CustomerCopy  # type: ignore[assignment] # shown flat, and taken as a number with what differs
    items: list[Row]
    invoice_no: int | None
    due_days: int | None
    ocr_number: Text
    respite_date: Text
    invoice_fee_vat: Number
    interest_fee: Number
    delivery_method: Method
    state: str
    url: Text
    recipient_url: Text
    flags: list[str]
    remaining_sum: Number
    total_sum: Number
    rounding_value: Number
    reminder_count: int
    detailed_sums: DetailedSums
    offers: list[Free]
    sales_accepted: bool | None
    attested_at: Stamp | None
    created_at: Stamp
    updated_at: Stamp
    events: list[Event]


class CompactCustomer(Shape):
    customer_no: int
    name: Text
    org_no: Text
    email: Text


class CompactBillogram(Shape):
    id: str
    invoice_no: int | None
    ocr_number: Text
    creditor_unique_value: Text
    state: str
    flags: list[str]
    invoice_date: Text
    due_date: Text
    currency: str
    total_sum: Number
    remaining_sum: Number
    created_at: Stamp
    updated_at: Stamp
    customer: CompactCustomer


class CallbackHead(Shape):
    callback_id: str
    callback_type: str
    callback_timestamp: Instant
    signature: Text


class ToldBillogram(Shape):
    id: str
    state: str
    ocr_number: Text
    total_sum: Number
    remaining_sum: Number
    attested_at: Stamp | None
    detailed_sums: DetailedSums


class EventCallback(CallbackHead):
    """What is posted to the callback URL for each event."""

    callback_type: Literal["BillogramEvent"]
    custom: Text
    billogram: ToldBillogram
    event: Event


class RecallCallback(CallbackHead):
    """What is posted to the callback URL when a payment was taken back."""

    callback_type: Literal["PaymentRecalled"]
    payment_recall: Free


class EinvoiceCallback(CallbackHead):
    """What is posted to the account's callback URL when something happened at the recipient's bank."""

    callback_type: Literal[
        "EinvoiceRegistrationCreated",
        "EinvoiceRegistrationDeleted",
        "EinvoiceRegistrationIdentificationMismatch",
        "EinvoiceRegistrationRecipientNotFound",
    ]
    recipient_information: dict[str, Text]


class ToldTab(Shape):
    customer_number: str
    id: str


class TabFailure(Shape):
    type: Literal["BillogramCreationError"]
    response: Refused


class TabCallback(CallbackHead):
    """What is posted to the account's callback URL when a tab could not be billed."""

    callback_type: Literal["BillingTab"]
    billing_tab: ToldTab
    event: TabFailure


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


class Pdf(Shape):
    """In base64."""

    content: str
    file_type: str


class AllCallbacks(Shape):
    total_count: int
    callbacks: list[Callback]


class AllBillograms(Shape):
    billograms: list[Billogram]


class ClockAnswer(Shape):
    now: Instant
    next_due: Instant | None
    callbacks_pending: int
    callbacks_due: int


class AccountAnswer(Account):
    pass


class StatsAnswer(Shape):
    requests: dict[str, int]
    total: int
    struck: dict[str, int]
    """How many requests each fault has befallen."""
