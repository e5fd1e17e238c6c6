"""The platform's invoice and customer in our words: what we order, and what we read back."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from avtal.contracts.bills.bill import Fact
from avtal.contracts.delivery import Address, DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.contracts.money import Row


class Subscriber(Frozen):
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


class InvoiceRequest(Frozen):
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


class RemoteRow(Frozen):
    """A row by the values that the platform adds up, in kronor."""

    title: str
    count: Decimal
    price: Decimal
    discount: Decimal
    vat_rate: Decimal


class Stage(StrEnum):
    """Where an invoice stands at the platform, as its list tells it."""

    DRAFT = "draft"
    OPEN = "open"
    SETTLED = "settled"
    ENDED = "ended"
    """Over, and the state does not say how: payments, credits, or a loss do."""


class ListedInvoice(Frozen):
    """One invoice as the platform's list shows it. `remaining_minor` has the platform's fees of being late in it.

    `fingerprint` is all that is shown in one line: an equal one means that nothing has changed.
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
    """Fees for reminding, and interest: they add to what remains, and are no part of the total."""
    shown: ListedInvoice | None = None
    """The same as the list would have shown it at that moment."""


class CallbackFacts(Frozen):
    """What one signed callback tells of one invoice. The sums are of the whole invoice at that moment; not all tell."""

    billogram_id: str
    custom: str | None
    facts: tuple[Fact, ...]
    paid_minor: int | None
    credited_minor: int | None
    at: datetime
