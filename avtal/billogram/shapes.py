"""Billogram's objects, as they are transferred.

Only the fields that we read are declared; unknown keys are ignored, and fields that some endpoints omit are optional.
Amounts are Decimals of kronor. Timestamps have two formats, and one without a zone is UTC.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

Timestamp = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]


EVENT_KIND = "BillogramEvent"
RECALL_KIND = "PaymentRecalled"


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Event(Shape):
    type: str
    created_at: Timestamp
    data: dict[str, Any] | None = None  # Any: its fields depend on the type
    event_uuid: str | None = None


class DetailedSums(Shape):
    """Paid and credited sums are negative."""

    net_sum: Decimal = Decimal(0)
    invoice_fee: Decimal = Decimal(0)
    invoice_fee_vat: Decimal = Decimal(0)
    vat_sum: Decimal = Decimal(0)
    paid_sum: Decimal = Decimal(0)
    collector_paid_sum: Decimal = Decimal(0)
    credited_sum: Decimal = Decimal(0)
    reminder_fee: Decimal = Decimal(0)
    interest_fee: Decimal = Decimal(0)


class CustomerOfInvoice(Shape):
    customer_no: int


class Item(Shape):
    title: str | None = None
    count: Decimal
    price: Decimal = Decimal(0)
    discount: Decimal | None = None
    vat: Decimal = Decimal(0)


class ListedBillogram(Shape):
    """A compact entry of the list. The platform may return the full object instead."""

    id: str
    state: str
    creditor_unique_value: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    updated_at: Timestamp | None = None
    total_sum: Decimal = Decimal(0)
    remaining_sum: Decimal = Decimal(0)


class Billogram(ListedBillogram):
    customer: CustomerOfInvoice
    items: list[Item] = []
    currency: str = "SEK"
    invoice_no: int | None = None
    ocr_number: str | None = None
    url: str | None = None
    respite_date: date | None = None
    attested_at: Timestamp | None = None
    detailed_sums: DetailedSums = DetailedSums()
    events: list[Event] = []


class CompactBillogram(Shape):
    id: str
    creditor_unique_value: str | None = None


class FoundBillograms(Shape):
    billograms: list[CompactBillogram]


class ListMeta(Shape):
    total_count: int


class BillogramPage(Shape):
    """One page of the list; `total_count` is the number on all pages."""

    meta: ListMeta
    data: list[ListedBillogram]


class EventPage(Shape):
    meta: ListMeta
    data: list[Event]


class Customer(Shape):
    customer_no: int
    notes: str | None = None


class BillogramOfCallback(Shape):
    id: str
    state: str
    total_sum: Decimal = Decimal(0)
    detailed_sums: DetailedSums = DetailedSums()


class CallbackKind(Shape):
    """The first version of callbacks has no type."""

    callback_type: str = EVENT_KIND


class Callback(CallbackKind):
    """A callback of type BillogramEvent."""

    custom: str | None = None
    billogram: BillogramOfCallback
    event: Event


class RecalledBillogram(Shape):
    id: str
    event: Event


class Payable(Shape):
    """An object that the payment had paid. Not only billograms can be paid."""

    billogram: RecalledBillogram | None = None


class PaymentRecall(Shape):
    payables: list[Payable] = []


class RecallCallback(CallbackKind):
    """A callback of type PaymentRecalled. It has no `custom`, and each billogram contains its event."""

    payment_recall: PaymentRecall


class ErrorData(Shape):
    message: str = ""
    field: str | None = None
    field_path: list[str | int] | None = None


class ErrorBody(Shape):
    status: str
    data: ErrorData = ErrorData()
