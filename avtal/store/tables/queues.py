"""Durable queues: callbacks, messages to Temporal, deliveries to publishers, and sweeps."""

import time
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Table
from avtal.tracing import traceparent


class CallbackRow(Table):
    """The inbox: every callback that carried a valid signature, as it came."""

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
    """The platform's id of the billogram; callbacks of one are worked off one at a time."""
    received_at: Mapped[datetime]
    body: Mapped[str]
    state: Mapped[str]
    """new, done, ignored (a kind that we do not use), or unmatched (for 24 hours no bill was found)."""
    next_attempt_at: Mapped[float]
    """Real time, seconds since 1970, also when the test clock has moved on: a delivery is retried in real time."""
    give_up_at: Mapped[float]
    leased_until: Mapped[float] = mapped_column(default=0.0)
    """Real time until which the process that took it has it to itself; a dead one loses it then."""
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(default=None)


class OutboxRow(Table):
    """What Temporal must be told yet: a start, or the news of a bill. In order per contract."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("outbox_by_contract", "account", "contract_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    contract_id: Mapped[str]
    bill_id: Mapped[str | None]
    """The bill to tell of, as it is at the moment of telling; None starts the contract."""
    next_attempt_at: Mapped[float] = mapped_column(default=time.time)
    leased_until: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(default=None)
    traceparent: Mapped[str | None] = mapped_column(default=traceparent)
    """Of the work that queued it."""


class DeliveryRow(Table):
    """An event on its way to the endpoint, or given up. Gone once the endpoint has taken it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.ForeignKeyConstraint(["account", "seq"], ["events.account", "events.seq"], name="delivery_event"),
        sa.Index("deliveries_by_contract", "account", "contract_id", "dead", "seq"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[str]
    queued_at: Mapped[float]
    """Real time, like all times of a delivery."""
    next_attempt_at: Mapped[float]
    leased_until: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    dead: Mapped[bool] = mapped_column(default=False)


class SweepRow(Table):
    """When an account was last compared with the platform by itself, and who does it now. In real time."""

    __tablename__ = "sweeps"

    account: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[float] = mapped_column(default=0.0)
    leased_until: Mapped[float] = mapped_column(default=0.0)
