"""The tables. Keys begin with the account; JSON columns hold records of `contracts`, frozen as they were."""

import time
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from observing.tracing import traceparent
from store.columns import Json, Table

__all__ = ["Table"]


def _of_contract(name: str) -> sa.ForeignKeyConstraint:
    columns = ["account", "contract_id"]
    return sa.ForeignKeyConstraint(columns, [f"contracts.{column}" for column in columns], name=name)


class AccountRow(Table):
    __tablename__ = "accounts"

    account: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    platform_url: Mapped[str]
    platform_user: Mapped[str]
    platform_key: Mapped[str]
    """Encrypted, like the callback keys."""
    callback_keys: Mapped[list[str]]
    """Newest first; two during a rotation."""
    next_customer_no: Mapped[int]
    policy_version: Mapped[int]


class ApiKeyRow(Table):
    __tablename__ = "api_keys"

    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the key: 256 random bits need no salt."""
    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), index=True)
    created_at: Mapped[datetime]


class OperatorRow(Table):
    __tablename__ = "operators"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    """Unique in the whole store, so that a login names no account."""
    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), index=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime]


class OperatorSessionRow(Table):
    __tablename__ = "operator_sessions"

    digest: Mapped[str] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(sa.ForeignKey("operators.user_name"), index=True)
    ends_at: Mapped[datetime] = mapped_column(index=True)


class LoginTryRow(Table):
    """A password that was not right, or is being looked at; also for users that there are not. In real time."""

    __tablename__ = "login_tries"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class PolicyRow(Table):
    __tablename__ = "policies"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    policy: Mapped[Json]


class SubscriberRow(Table):
    __tablename__ = "subscribers"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    subscriber_id: Mapped[str] = mapped_column(primary_key=True)
    subscriber: Mapped[Json]
    revision: Mapped[int] = mapped_column(default=1)
    customer_no: Mapped[int | None] = mapped_column(default=None)
    """The reader's number at the platform, from the account's own range."""
    platform_revision: Mapped[int] = mapped_column(default=0)
    """The revision that the platform has; 0 while the customer is not known to exist there."""


class ContractRow(Table):
    __tablename__ = "contracts"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["account", "subscriber_id"],
            ["subscribers.account", "subscribers.subscriber_id"],
            name="contract_subscriber",
        ),
        sa.Index("contracts_by_subscriber", "account", "subscriber_id"),
        sa.Index("contracts_by_status", "account", "status", "contract_id"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str] = mapped_column(primary_key=True)
    subscriber_id: Mapped[str]
    sold_at: Mapped[datetime]
    sale_digest: Mapped[str]
    """Of the sale as it was sent, without the subscriber: tells a repeat from another sale."""
    sale: Mapped[Json]
    schedule: Mapped[Json]
    currency: Mapped[str]
    prices_include_vat: Mapped[bool]
    counter: Mapped[int]
    status: Mapped[str]
    access: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
    ending: Mapped[Json | None]
    held: Mapped[list[Json]] = mapped_column(default=list)
    """Runs of periods that passed while access was off, and are never billed."""


class TermsRow(Table):
    """What may change while a contract runs, by the first period that it holds for."""

    __tablename__ = "contract_terms"
    __table_args__ = (_of_contract("terms_contract"),)

    account: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    first_period: Mapped[int]
    lines: Mapped[list[Json]]
    delivery_method: Mapped[str | None]
    edi_number: Mapped[str | None]
    policy_override: Mapped[Json]


class BillRow(Table):
    __tablename__ = "bills"
    __table_args__ = (
        _of_contract("bill_contract"),
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
    trouble: Mapped[str | None] = mapped_column(default=None)
    """The platform's own words about why the bill is parked or still being made; may name the reader."""
    traceparent: Mapped[str | None] = mapped_column(default=None)
    """Of the work that began the bill: what happens to it later goes on with that trace."""
    mode: Mapped[str]
    policy_version: Mapped[int]
    grace_days: Mapped[int | None]
    on_loss: Mapped[str]
    lead_days: Mapped[int]
    work_window_minutes: Mapped[int]
    turn_seconds: Mapped[int] = mapped_column(default=0)
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
    imprint: Mapped[str | None] = mapped_column(default=None)
    """How the platform's list showed the invoice when all of it was last read; shown the same, it holds nothing new."""
    vanished_at: Mapped[datetime | None] = mapped_column(default=None)
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


class CallbackRow(Table):
    """The inbox: every callback that carried a valid signature, as it came."""

    __tablename__ = "callbacks"
    __table_args__ = (
        sa.UniqueConstraint("account", "callback_id", name="callback_once"),
        sa.Index("callbacks_to_do", "state", "try_at"),
        sa.Index("callbacks_leased", "state", "leased_until", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    callback_id: Mapped[str]
    subject: Mapped[str]
    """The platform's id of the billogram; callbacks of one are worked off one at a time."""
    received_at: Mapped[datetime]
    body: Mapped[str]
    state: Mapped[str]
    """new, done, ignored (a kind that we do not use), or unmatched (for 24 hours no bill was found)."""
    try_at: Mapped[float]
    """Real time, seconds since 1970, also when the test clock has moved on: a delivery is retried in real time."""
    give_up_at: Mapped[float]
    leased_until: Mapped[float] = mapped_column(default=0.0)
    """Real time until which the process that took it has it to itself; a dead one loses it then."""
    attempts: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str | None] = mapped_column(default=None)


class OutboxRow(Table):
    """What Temporal must be told yet: a start, or the news of a bill. In order per contract."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("outbox_by_contract", "account", "contract_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    contract_id: Mapped[str]
    bill_id: Mapped[str | None]
    """The bill to tell of, as it is at the moment of telling; None starts the contract."""
    try_at: Mapped[float] = mapped_column(default=time.time)
    leased_until: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str | None] = mapped_column(default=None)
    traceparent: Mapped[str | None] = mapped_column(default=traceparent)
    """Of the work that queued it."""


class SweepRow(Table):
    """When an account was last compared with the platform by itself, and who does it now. In real time."""

    __tablename__ = "sweeps"

    account: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[float] = mapped_column(default=0.0)
    leased_until: Mapped[float] = mapped_column(default=0.0)


class ClockRow(Table):
    """The embedded stack's one clock: how far it runs ahead of real time, and where it has been told to go."""

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    offset_seconds: Mapped[float]
    target: Mapped[datetime | None]
    trouble: Mapped[str | None] = mapped_column(default=None)
