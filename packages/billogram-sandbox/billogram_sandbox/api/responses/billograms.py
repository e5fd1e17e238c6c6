"""Customers, billograms, their events, and PDFs, as responses show them."""

from typing import Any, Generic, Literal, TypeVar

from billogram_sandbox.api.responses.envelope import Meta
from billogram_sandbox.shapes.billogram import BillogramFields, Row
from billogram_sandbox.shapes.customer import CustomerAddress, CustomerChange, DeliveryAddress, Establishment
from billogram_sandbox.shapes.values import Method, Number, Shape, Stamp, Text

T = TypeVar("T")
FreeObject = dict[str, Any]  # Any: an object whose keys depend on the event


class BillogramMeta(Meta):
    total_remaining_sum: str


class Billograms(Shape, Generic[T]):
    status: Literal["OK"]
    meta: BillogramMeta
    data: list[T]


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
    data: FreeObject | None
    event_uuid: str


class CustomerCopy(Shape):
    """The customer as copied into the billogram."""

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
    customer: CustomerCopy  # type: ignore[assignment] # responses have a copy, requests a number and changes
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
    offers: list[FreeObject]
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


class Pdf(Shape):
    """In base64."""

    content: str
    file_type: str
