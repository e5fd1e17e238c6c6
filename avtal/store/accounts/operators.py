"""Operators of the portal, their sessions, and the limit on login attempts. All times are real time."""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.frozen import Frozen
from avtal.store.accounts.accounts import locked_account
from avtal.store.accounts.passwords import hash_of
from avtal.store.tables import LoginAttemptRow, OperatorRow, OperatorSessionRow

SESSION_DURATION = timedelta(hours=12)
ATTEMPTS_MAX = 10
ATTEMPTS_WITHIN = timedelta(minutes=15)


class UserNameTaken(Exception):
    """Another account has an operator of this name."""


class TooManyAttempts(Exception): ...


class Operator(Frozen):
    account: str
    user_name: str


def put_operator(session: Session, account: str, user_name: str, password: str, now: datetime) -> None:
    """Adds an operator, or sets another password and ends all sessions. Raises AccountNotFound, UserNameTaken."""
    locked_account(session, account)
    row = session.get(OperatorRow, user_name, with_for_update=True)
    if row is None:
        row = OperatorRow(user_name=user_name, account=account, created_at=now)
        session.add(row)
    elif row.account != account:
        raise UserNameTaken(user_name)
    row.password_hash = hash_of(password)
    session.execute(sa.delete(OperatorSessionRow).where(OperatorSessionRow.user_name == user_name))
    clear_attempts(session, user_name)


def is_operator(session: Session, user_name: str) -> bool:
    return session.get(OperatorRow, user_name) is not None


def password_hash_of(session: Session, user_name: str) -> str | None:
    return session.scalar(sa.select(OperatorRow.password_hash).where(OperatorRow.user_name == user_name))


def open_session(session: Session, user_name: str, now: datetime) -> str:
    """Returns the token for the cookie, of which only the digest is stored. Deletes expired sessions."""
    session.execute(sa.delete(OperatorSessionRow).where(OperatorSessionRow.ends_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(OperatorSessionRow(digest=_digest(token), user_name=user_name, ends_at=now + SESSION_DURATION))
    return token


def operator_of_session(session: Session, token: str, now: datetime) -> Operator | None:
    row = session.execute(
        sa.select(OperatorRow.account, OperatorRow.user_name)
        .join(OperatorSessionRow, OperatorSessionRow.user_name == OperatorRow.user_name)
        .where(OperatorSessionRow.digest == _digest(token), OperatorSessionRow.ends_at > now)
    ).one_or_none()
    return Operator(account=row.account, user_name=row.user_name) if row else None


def close_session(session: Session, token: str) -> None:
    session.execute(sa.delete(OperatorSessionRow).where(OperatorSessionRow.digest == _digest(token)))


def record_attempt(session: Session, user_name: str, now: datetime) -> None:
    """Call it before checking the password, so that concurrent attempts count too. Raises TooManyAttempts."""
    session.execute(sa.delete(LoginAttemptRow).where(LoginAttemptRow.at <= now - ATTEMPTS_WITHIN))
    attempts = session.scalar(sa.select(sa.func.count()).where(LoginAttemptRow.user_name == user_name))
    if attempts is not None and attempts >= ATTEMPTS_MAX:
        raise TooManyAttempts(user_name)
    session.add(LoginAttemptRow(user_name=user_name, at=now))


def clear_attempts(session: Session, user_name: str) -> None:
    session.execute(sa.delete(LoginAttemptRow).where(LoginAttemptRow.user_name == user_name))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
