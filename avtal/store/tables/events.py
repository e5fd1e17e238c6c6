"""The event feed and the publishers' endpoints.

An event names contract and bill without a foreign key: its check would lock their rows while the feed's is locked, and
the feed's is the last lock of every transaction (docs/architecture.md).
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Json, Table


class FeedRow(Table):
    """An account's counter of events, in a row of its own: nothing else waits for it."""

    __tablename__ = "feeds"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    last_seq: Mapped[int]


class EventRow(Table):
    """Written once, with what it tells of, and never changed."""

    __tablename__ = "events"
    __table_args__ = (sa.Index("events_of_contract", "account", "contract_id", "seq"),)

    account: Mapped[str] = mapped_column(sa.ForeignKey("feeds.account"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    contract_id: Mapped[str]
    bill_id: Mapped[str | None]
    type: Mapped[str]
    at: Mapped[datetime]
    """The system's time, which on a test clock runs ahead."""
    recorded: Mapped[datetime]
    """Real time."""
    data: Mapped[Json]


class EndpointRow(Table):
    """Where the publisher wants to be told."""

    __tablename__ = "endpoints"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    url: Mapped[str]
    secret: Mapped[str]
    """Encrypted, like the one before it."""
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[float]
    """Real time until which both sign."""
    queued_seq: Mapped[int]
    """The last event that was queued for it."""
    delivered_seq: Mapped[int | None] = mapped_column(default=None)
    """The highest that it has taken."""
    last_error: Mapped[str | None] = mapped_column(default=None)
    """Why it did not take an event, the last time that it did not."""
    last_error_at: Mapped[datetime | None] = mapped_column(default=None)
