"""Subscribers, their contracts, and the versions of each contract's terms."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Json, Table


def contract_key(name: str) -> sa.ForeignKeyConstraint:
    columns = ["account", "contract_id"]
    return sa.ForeignKeyConstraint(columns, [f"contracts.{column}" for column in columns], name=name)


class SubscriberRow(Table):
    __tablename__ = "subscribers"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    subscriber_id: Mapped[str] = mapped_column(primary_key=True)
    subscriber: Mapped[Json]
    """A `Subscriber`: personal data."""
    data_version: Mapped[int] = mapped_column(default=1)
    customer_no: Mapped[int | None] = mapped_column(default=None)
    """The customer number at the platform, from the account's own range."""
    platform_data_version: Mapped[int] = mapped_column(default=0)
    """The data version that the platform has; 0 until the customer is known to exist there."""


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
    """SHA-256 of the request as it was first sent; distinguishes a repeated sale from another one."""
    current_terms: Mapped[Json]
    """The terms as the API shows them; updated by each change."""
    schedule: Mapped[Json]
    """A `Schedule`."""
    currency: Mapped[str]
    prices_include_vat: Mapped[bool]
    counter: Mapped[int]
    """The counter of the snapshot that the workflow wrote last. This and the columns below are a `ContractSnapshot`."""
    status: Mapped[str]
    access: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
    ending: Mapped[Json | None]
    skipped_periods: Mapped[list[Json]] = mapped_column(default=list)
    """`SkippedPeriods`: runs of periods that passed while access was off and are never billed."""


class TermsRow(Table):
    """One version of what may change while a contract runs."""

    __tablename__ = "contract_terms"
    __table_args__ = (contract_key("terms_contract"),)

    account: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    first_period: Mapped[int]
    """The first period that `lines` hold for. The other columns hold for every bill created from now on."""
    lines: Mapped[list[Json]]
    delivery_method: Mapped[str | None]
    edi_number: Mapped[str | None]
    policy_override: Mapped[Json]
