"""The event feed and the publishers' endpoints.

Events reference contract and bill without a foreign key. The check of a foreign key would lock those rows after the
feed's row, and the feed's row is the last lock of every transaction (docs/architecture.md).
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Json, Table


class FeedRow(Table):
    """An account's event counter. It has a row of its own, so that nothing but event writes waits for its lock."""

    __tablename__ = "feeds"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    last_seq: Mapped[int]
    """The number of the newest event; 0 without any."""


class EventRow(Table):
    """Written in the transaction of the change that it describes, and never updated."""

    __tablename__ = "events"
    __table_args__ = (sa.Index("events_of_contract", "account", "contract_id", "seq"),)

    account: Mapped[str] = mapped_column(sa.ForeignKey("feeds.account"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    """`evt_` and 24 hexadecimal digits; the publisher's idempotency key."""
    contract_id: Mapped[str]
    bill_id: Mapped[str | None]
    type: Mapped[str]
    """An `EventType`."""
    at: Mapped[datetime]
    """System time, which on a test clock runs ahead."""
    recorded: Mapped[datetime]
    """Real time."""
    data: Mapped[Json]


class EndpointRow(Table):
    """Where an account's events are delivered."""

    __tablename__ = "endpoints"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    url: Mapped[str]
    secret: Mapped[str]
    """Encrypted, like `old_secret`."""
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[float]
    """Real time, seconds since 1970, until which both secrets sign."""
    queued_seq: Mapped[int]
    """The last event that was queued as a delivery."""
    delivered_seq: Mapped[int | None] = mapped_column(default=None)
    """The highest event that was delivered."""
    last_error: Mapped[str | None] = mapped_column(default=None)
    """Why the last delivery that failed did so."""
    last_error_at: Mapped[datetime | None] = mapped_column(default=None)
