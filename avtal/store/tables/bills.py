"""Bills, their facts, and the start slots of renewals."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Json, Table
from avtal.store.tables.contracts import contract_key


class BillRow(Table):
    __tablename__ = "bills"
    __table_args__ = (
        contract_key("bill_contract"),
        sa.Index("bills_by_platform_id", "account", "billogram_id"),
        sa.Index("bills_of_contract", "account", "contract_id", "period_no", "revision"),
        sa.Index(
            "parked_bills", "account", "contract_id",
            sqlite_where=sa.text("status = 'parked'"), postgresql_where=sa.text("status = 'parked'"),
        ),
        # At most one bill that is not void per contract and period (INV-1).
        sa.Index(
            "one_bill_per_period", "account", "contract_id", "period_no", unique=True,
            sqlite_where=sa.text("void = 0"), postgresql_where=sa.text("NOT void"),
        ),
    )  # fmt: skip

    account: Mapped[str] = mapped_column(primary_key=True)
    bill_id: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str]
    zone: Mapped[str]
    """The contract's time zone, a name of the tz database."""
    period_no: Mapped[int]
    """Counted from 0 at the contract's anchor."""
    revision: Mapped[int]
    """0 for the first bill of the period."""
    period_start: Mapped[date]
    period_end: Mapped[date]
    """The first day after the period."""
    created_at: Mapped[datetime]
    """In the contract's time, which on a test clock runs ahead."""
    version: Mapped[int] = mapped_column(default=0)
    """Rises with every change that the contract decides by."""
    status: Mapped[str]
    """A `BillStatus`, computed from the facts and from `made`, `parked_reason`, and `void`."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often its creation was started; from the second on, the platform may already hold the invoice."""
    made: Mapped[bool] = mapped_column(default=False)
    """Whether the platform's invoice is known, or none is needed."""
    void: Mapped[bool] = mapped_column(default=False)
    parked_reason: Mapped[str | None] = mapped_column(default=None)
    parked_field: Mapped[str | None] = mapped_column(default=None)
    provider_message: Mapped[str | None] = mapped_column(default=None)
    """The platform's message about why the bill is parked or still creating. May hold personal data."""
    traceparent: Mapped[str | None] = mapped_column(default=None)
    """The trace (W3C) in which the bill was created; its callbacks continue that trace."""
    mode: Mapped[str]
    """A `Mode`. This and the following columns to `payment_days` are the policy that the bill was made under."""
    policy_version: Mapped[int]
    grace_days: Mapped[int | None]
    on_loss: Mapped[str]
    lead_days: Mapped[int]
    work_window_minutes: Mapped[int]
    start_slot_seconds: Mapped[int] = mapped_column(default=0)
    """Seconds after its due instant at which the next period's bill is created."""
    renewal_while_off: Mapped[str]
    max_open_bills: Mapped[int | None]
    payment_days: Mapped[int]
    delivery_method: Mapped[str | None]
    """A `DeliveryMethod`; None if none is usable."""
    edi_number: Mapped[str | None]
    """Set only if the method is EDI."""
    customer_no: Mapped[int | None] = mapped_column(default=None)
    """The subscriber's customer number at the platform, once the invoice is made."""
    rows: Mapped[list[Json]]
    """Each a `money.Row`, as sent to the platform."""
    currency: Mapped[str]
    agreed_total_minor: Mapped[int]
    """Minor units, like all amounts. Before the platform's rounding."""
    total_minor: Mapped[int]
    vat_minor: Mapped[int]
    rounding_minor: Mapped[int]
    remaining_minor: Mapped[int]
    dispatched_on: Mapped[date | None] = mapped_column(default=None)
    due_date: Mapped[date | None] = mapped_column(default=None)
    lost_at: Mapped[datetime | None] = mapped_column(default=None)
    reopened_on: Mapped[date | None] = mapped_column(default=None)
    """The last civil day on which a payment was reversed."""
    billogram_id: Mapped[str | None] = mapped_column(default=None)
    invoice_no: Mapped[int | None] = mapped_column(default=None)
    ocr_number: Mapped[str | None] = mapped_column(default=None)
    invoice_url: Mapped[str | None] = mapped_column(default=None)
    fingerprint: Mapped[str | None] = mapped_column(default=None)
    """`ListedInvoice.fingerprint` at the last full read. An equal one means that nothing changed at the platform."""
    missing_since: Mapped[datetime | None] = mapped_column(default=None)
    """When the platform first reported that it holds no such invoice; None again once it does."""


class FactRow(Table):
    __tablename__ = "facts"
    __table_args__ = (
        sa.ForeignKeyConstraint(["account", "bill_id"], ["bills.account", "bills.bill_id"], name="fact_bill"),
        sa.UniqueConstraint("account", "bill_id", "event_uuid", name="fact_once_by_uuid"),
        sa.Index("facts_of_bill", "account", "bill_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    bill_id: Mapped[str]
    type: Mapped[str]
    """Type, time, and UUID are copies of fields of `fact`, for queries."""
    at: Mapped[datetime]
    event_uuid: Mapped[str | None]
    fact: Mapped[Json]
    """A `Fact`."""


class StartSlotRow(Table):
    """How many start slots of one hour an account's renewals have taken. Rows of past hours are not deleted."""

    __tablename__ = "start_slots"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    """Its first instant."""
    taken: Mapped[int]
