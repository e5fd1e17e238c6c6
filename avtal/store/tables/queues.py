"""Durable queues: callbacks, messages to Temporal, deliveries to publishers, and sweeps.

All times of a queue are real time, in seconds since 1970, also while the test clock runs ahead.
"""

import time
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Table
from avtal.tracing import traceparent


class LeasedRow(Table):
    """A row that one process at a time works on (`queues/lease.py`)."""

    __abstract__ = True

    next_attempt_at: Mapped[float] = mapped_column(default=time.time)
    leased_until: Mapped[float] = mapped_column(default=0.0)
    """Until then the process that leased the row has it alone. A process that dies loses it then."""


class RetriedRow(LeasedRow):
    """A leased row that is retried with a growing backoff."""

    __abstract__ = True

    attempts: Mapped[int] = mapped_column(default=0)
    """How many attempts have failed."""
    last_error: Mapped[str | None] = mapped_column(default=None)


class CallbackRow(RetriedRow):
    """The inbox: every callback with a valid signature, as it was received."""

    __tablename__ = "callbacks"
    __table_args__ = (
        sa.UniqueConstraint("account", "callback_id", name="callback_once"),
        sa.Index("callbacks_due", "state", "next_attempt_at"),
        sa.Index("callbacks_leased", "state", "leased_until", "group_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    callback_id: Mapped[str]
    group_key: Mapped[str]
    """The platform's id of the billogram. Callbacks of one billogram are processed one at a time."""
    received_at: Mapped[datetime]
    """System time, which on a test clock runs ahead."""
    body: Mapped[str]
    state: Mapped[str]
    """new, done, ignored (a kind that is not used), or unmatched (no bill was found within 24 hours)."""
    give_up_at: Mapped[float]


class OutboxRow(RetriedRow):
    """A message to Temporal: the start of a contract, or a bill's signal. Dispatched in order per contract."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("outbox_by_contract", "account", "contract_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    contract_id: Mapped[str]
    bill_id: Mapped[str | None]
    """The bill whose snapshot is signalled, as it is at dispatch; None starts the contract."""
    traceparent: Mapped[str | None] = mapped_column(default=traceparent)
    """The trace (W3C) in which the message was queued."""


class DeliveryRow(LeasedRow):
    """An event on its way to the endpoint, or dead. Deleted once the endpoint has accepted it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.ForeignKeyConstraint(["account", "seq"], ["events.account", "events.seq"], name="delivery_event"),
        sa.Index("deliveries_by_contract", "account", "contract_id", "dead", "seq"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[str]
    queued_at: Mapped[float]
    attempts: Mapped[int] = mapped_column(default=0)
    dead: Mapped[bool] = mapped_column(default=False)
    """Given up after 72 hours; waits for a replay."""


class SweepRow(LeasedRow):
    """When an account is reconciled next; leased while a process sweeps it."""

    __tablename__ = "sweeps"

    account: Mapped[str] = mapped_column(primary_key=True)
