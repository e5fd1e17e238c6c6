"""The platform's customer and invoice in our terms: what we request, and what we read back."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from avtal.contracts.bills.bill import Fact
from avtal.contracts.delivery import Address, DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.contracts.money import Row


class Subscriber(Frozen):
    """Personal data: in the store and at the platform, never in a history."""

    subscriber_id: str
    name: str
    email: str | None = None
    phone: str | None = None
    edi_number: str | None = None
    company: bool = False
    org_no: str | None = None
    language: str | None = "sv"
    address: Address | None = None


class InvoiceRequest(Frozen):
    """One invoice to be made at the platform. A `send_by` of None leaves it a draft.

    `key` is unique at the platform; `custom` returns with every callback. `invoice_date` is a civil day; with None the
    platform dates the invoice when it is sent.
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


class RemoteRow(Frozen):
    """The values of a row that the platform computes with, in kronor."""

    title: str
    count: Decimal
    price: Decimal
    discount: Decimal
    vat_rate: Decimal


class Stage(StrEnum):
    """The stage of an invoice at the platform, as its list shows it."""

    DRAFT = "draft"
    OPEN = "open"
    SETTLED = "settled"
    ENDED = "ended"
    """Ended; whether by payment, credit, or loss is not in the state."""


class ListedInvoice(Frozen):
    """One invoice as the platform's list shows it. `remaining_minor` includes reminder fees and interest.

    `fingerprint` joins all that is shown: an equal one means that nothing has changed.
    """

    billogram_id: str
    key: str | None
    stage: Stage
    total_minor: int
    remaining_minor: int
    invoice_date: date | None
    due_date: date | None
    updated_at: datetime | None
    fingerprint: str


class RemoteInvoice(Frozen):
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
    late_fees_minor: int = 0
    """Reminder fees and interest: part of what remains, not of the total."""
    listed: ListedInvoice | None = None
    """The invoice as the list would show it at this moment."""


class CallbackFacts(Frozen):
    """What one signed callback contains about one invoice. The sums are those of the whole invoice at that moment; not
    every callback has them."""

    billogram_id: str
    custom: str | None
    facts: tuple[Fact, ...]
    paid_minor: int | None
    credited_minor: int | None
