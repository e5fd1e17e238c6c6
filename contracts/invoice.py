"""The platform's invoice and customer in our words: what we order, and what we read back."""

from datetime import date, datetime
from decimal import Decimal

from contracts.bill import Fact
from contracts.delivery import Address, DeliveryMethod
from contracts.money import Row
from contracts.record import Record


class Subscriber(Record):
    """The reader. Lives in the store and at the platform, never in a history."""

    subscriber_id: str
    name: str
    email: str | None = None
    phone: str | None = None
    edi_number: str | None = None
    company: bool = False
    org_no: str | None = None
    language: str | None = "sv"
    address: Address | None = None


class InvoiceOrder(Record):
    """One invoice to be made at the platform. A `send_by` of None leaves it a draft.

    `key` is unique at the platform; `custom` comes back with every callback. `invoice_date` is a civil day, None lets
    the platform date the invoice when it is sent.
    """

    key: str
    custom: str
    customer_no: int
    currency: str
    rows: tuple[Row, ...]
    row_text: str
    payment_days: int
    invoice_date: date | None
    edi_number: str | None
    send_by: DeliveryMethod | None


class RemoteRow(Record):
    """A row by the values that the platform adds up, in kronor."""

    title: str
    count: Decimal
    price: Decimal
    discount: Decimal
    vat_rate: Decimal


class RemoteInvoice(Record):
    """One invoice as the platform holds it. Amounts are minor units, `paid` and `credited` positive."""

    billogram_id: str
    key: str | None
    customer_no: int
    currency: str
    rows: tuple[RemoteRow, ...]
    is_draft: bool
    total_minor: int
    paid_minor: int
    remaining_minor: int
    fee_minor: int
    """The platform's own invoice fee with its VAT, a part of the total."""
    vat_minor: int
    rounding_minor: int
    due_date: date | None
    invoice_no: int | None
    ocr_number: str | None
    url: str | None
    facts: tuple[Fact, ...]


class CallbackNews(Record):
    """What one signed callback tells of one invoice. The sums are of the whole invoice at that moment."""

    billogram_id: str
    custom: str | None
    facts: tuple[Fact, ...]
    paid_minor: int
    credited_minor: int
    at: datetime
