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
        # INV-1: at most one bill that is not void per contract and period.
        sa.Index(
            "one_bill_per_period", "account", "contract_id", "period_no", unique=True,
            sqlite_where=sa.text("void = 0"), postgresql_where=sa.text("NOT void"),
        ),
    )  # fmt: skip

    account: Mapped[str] = mapped_column(primary_key=True)
    bill_id: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str]
    zone: Mapped[str]
    period_no: Mapped[int]
    revision: Mapped[int]
    period_start: Mapped[date]
    period_end: Mapped[date]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=0)
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    """How often its making was begun; after the first, the platform may hold it already."""
    made: Mapped[bool] = mapped_column(default=False)
    void: Mapped[bool] = mapped_column(default=False)
    parked_reason: Mapped[str | None] = mapped_column(default=None)
    parked_field: Mapped[str | None] = mapped_column(default=None)
    provider_message: Mapped[str | None] = mapped_column(default=None)
    """The platform's own words about why the bill is parked or still being made; may name the reader."""
    traceparent: Mapped[str | None] = mapped_column(default=None)
    """Of the work that began the bill: what happens to it later goes on with that trace."""
    mode: Mapped[str]
    policy_version: Mapped[int]
    grace_days: Mapped[int | None]
    on_loss: Mapped[str]
    lead_days: Mapped[int]
    work_window_minutes: Mapped[int]
    start_slot_seconds: Mapped[int] = mapped_column(default=0)
    """How long after its due instant the next period's bill waits for its turn."""
    renewal_while_off: Mapped[str]
    max_open_bills: Mapped[int | None]
    payment_days: Mapped[int]
    delivery_method: Mapped[str | None]
    edi_number: Mapped[str | None]
    customer_no: Mapped[int | None] = mapped_column(default=None)
    rows: Mapped[list[Json]]
    currency: Mapped[str]
    agreed_total_minor: Mapped[int]
    total_minor: Mapped[int]
    vat_minor: Mapped[int]
    rounding_minor: Mapped[int]
    remaining_minor: Mapped[int]
    dispatched_on: Mapped[date | None] = mapped_column(default=None)
    due_date: Mapped[date | None] = mapped_column(default=None)
    lost_at: Mapped[datetime | None] = mapped_column(default=None)
    reopened_on: Mapped[date | None] = mapped_column(default=None)
    """The last civil day on which money was taken back."""
    billogram_id: Mapped[str | None] = mapped_column(default=None)
    invoice_no: Mapped[int | None] = mapped_column(default=None)
    ocr_number: Mapped[str | None] = mapped_column(default=None)
    invoice_url: Mapped[str | None] = mapped_column(default=None)
    fingerprint: Mapped[str | None] = mapped_column(default=None)
    """How the platform's list showed the invoice when all of it was last read; shown the same, it holds nothing new."""
    missing_since: Mapped[datetime | None] = mapped_column(default=None)
    """When the platform first said that it holds no such invoice; empty again once it does."""


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
    at: Mapped[datetime]
    event_uuid: Mapped[str | None]
    fact: Mapped[Json]


class StartSlotRow(Table):
    """How many are taken. Past hours stay."""

    __tablename__ = "start_slots"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    taken: Mapped[int]
