"""Billogram's objects as they come over the wire (API reference, sections 3, 4, 9, 12, 13).

Only what we read is named; unknown keys are ignored, and what one source lacks is optional. Amounts are Decimals of
kronor. Times come in two formats, and one without a zone means UTC (section 6).
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

Timestamp = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Shape):
    type: str
    created_at: Timestamp
    data: dict[str, JsonValue | Decimal] | None = None
    event_uuid: str | None = None


class DetailedSums(Shape):
    """Paid and credited sums are negative (section 9.8)."""

    vat_sum: Decimal = Decimal(0)
    paid_sum: Decimal = Decimal(0)
    collector_paid_sum: Decimal = Decimal(0)
    credited_sum: Decimal = Decimal(0)


class CustomerOfInvoice(Shape):
    customer_no: int


class Item(Shape):
    title: str | None = None
    count: Decimal
    price: Decimal = Decimal(0)
    discount: Decimal | None = None
    vat: Decimal = Decimal(0)


class Billogram(Shape):
    id: str
    state: str
    customer: CustomerOfInvoice
    items: list[Item] = []
    creditor_unique_value: str | None = None
    currency: str = "SEK"
    invoice_no: int | None = None
    ocr_number: str | None = None
    url: str | None = None
    due_date: date | None = None
    attested_at: Timestamp | None = None
    total_sum: Decimal = Decimal(0)
    rounding_value: Decimal = Decimal(0)
    detailed_sums: DetailedSums = DetailedSums()
    events: list[Event] = []


class CompactBillogram(Shape):
    id: str
    creditor_unique_value: str | None = None


class Customer(Shape):
    customer_no: int
    notes: str | None = None


class BillogramOfCallback(Shape):
    id: str
    state: str
    total_sum: Decimal = Decimal(0)
    detailed_sums: DetailedSums = DetailedSums()


class Callback(Shape):
    """`billogram` and `event` are there in callbacks of type BillogramEvent; the first version had no type."""

    callback_id: str = Field(min_length=1, max_length=100)
    callback_type: str = "BillogramEvent"
    custom: str | None = None
    billogram: BillogramOfCallback | None = None
    event: Event | None = None


class ErrorData(Shape):
    message: str = ""
    field: str | None = None
    field_path: list[str | int] | None = None


class ErrorBody(Shape):
    status: str
    data: ErrorData = ErrorData()
