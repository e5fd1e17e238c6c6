"""Accounts, their keys and policies, and the operators who may log in."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Json, Table


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
    """The customer number at the platform that the account's next subscriber gets."""
    policy_version: Mapped[int]
    """The newest version in `policies`."""


class ApiKeyRow(Table):
    __tablename__ = "api_keys"

    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the key: 256 random bits need no salt."""
    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), index=True)
    created_at: Mapped[datetime]


class PolicyRow(Table):
    __tablename__ = "policies"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    policy: Mapped[Json]


class OperatorRow(Table):
    __tablename__ = "operators"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    """Unique in the whole store: a login does not name the account."""
    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), index=True)
    password_hash: Mapped[str]
    """Argon2id, in the PHC format."""
    created_at: Mapped[datetime]


class OperatorSessionRow(Table):
    __tablename__ = "operator_sessions"

    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the token in the cookie."""
    user_name: Mapped[str] = mapped_column(sa.ForeignKey("operators.user_name"), index=True)
    ends_at: Mapped[datetime] = mapped_column(index=True)


class LoginAttemptRow(Table):
    """A password that was wrong or is being checked, even of unknown users. In real time."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
