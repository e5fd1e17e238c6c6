"""Accounts: their API keys, platform credentials, callback keys, and the versions of their policy."""

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.frozen import Frozen
from avtal.contracts.policy import Policy, with_changes
from avtal.store.engine.cipher import Cipher
from avtal.store.feed.events import open_feed
from avtal.store.tables import AccountRow, ApiKeyRow, PolicyRow

CALLBACK_KEYS_MAX = 2
FIRST_CUSTOMER_NO = 100_000


class AccountExists(Exception): ...


class AccountNotFound(Exception): ...


class PlatformCredentials(Frozen):
    """An account's credentials at the platform, and the keys that the platform signs callbacks with, newest first."""

    url: str
    user: str
    key: str
    callback_keys: tuple[str, ...] = ()


def create_account(
    session: Session,
    cipher: Cipher,
    account: str,
    platform: PlatformCredentials,
    policy: Policy,
    now: datetime,
    customer_no_from: int,
) -> None:
    """Raises AccountExists."""
    if session.get(AccountRow, account) is not None:
        raise AccountExists(account)
    session.add(
        AccountRow(
            account=account,
            created_at=now,
            platform_url=platform.url,
            platform_user=platform.user,
            platform_key=cipher.seal(platform.key),
            callback_keys=[cipher.seal(key) for key in platform.callback_keys],
            next_customer_no=customer_no_from,
            policy_version=1,
        )
    )
    session.flush()
    open_feed(session, account)
    session.add(PolicyRow(account=account, version=1, created_at=now, policy=policy.model_dump(mode="json")))


def set_platform(session: Session, cipher: Cipher, account: str, platform: PlatformCredentials) -> None:
    """Replaces the credentials. A new callback key is added, and the newest one before it stays valid. Raises
    AccountNotFound."""
    row = locked_account(session, account)
    row.platform_url, row.platform_user, row.platform_key = platform.url, platform.user, cipher.seal(platform.key)
    known = [cipher.unseal(key) for key in row.callback_keys]
    newest = [key for key in platform.callback_keys if key not in known]
    row.callback_keys = [cipher.seal(key) for key in (*newest, *known)][:CALLBACK_KEYS_MAX]


def platform_credentials(session: Session, cipher: Cipher, account: str) -> PlatformCredentials | None:
    """None for an unknown account. Raises SecretsUnreadable."""
    row = session.get(AccountRow, account)
    if row is None:
        return None
    return PlatformCredentials(
        url=row.platform_url,
        user=row.platform_user,
        key=cipher.unseal(row.platform_key),
        callback_keys=tuple(cipher.unseal(key) for key in row.callback_keys),
    )


def callback_keys(session: Session, cipher: Cipher, account: str) -> tuple[str, ...] | None:
    """Keys that the account's callbacks may be signed with; None for an unknown account. Raises SecretsUnreadable."""
    sealed = session.scalar(sa.select(AccountRow.callback_keys).where(AccountRow.account == account))
    return None if sealed is None else tuple(cipher.unseal(key) for key in sealed)


def new_api_key(session: Session, account: str, now: datetime) -> str:
    """Returns the key, of which only the digest is stored. Raises AccountNotFound."""
    locked_account(session, account)
    key = f"avtal_{secrets.token_urlsafe(32)}"
    session.add(ApiKeyRow(digest=_digest(key), account=account, created_at=now))
    return key


def account_of_key(session: Session, key: str) -> str | None:
    row = session.get(ApiKeyRow, _digest(key))
    return row.account if row else None


def current_policy(session: Session, account: str) -> tuple[int, Policy]:
    """The newest version and its number. Raises AccountNotFound."""
    owner = session.get(AccountRow, account)
    if owner is None:
        raise AccountNotFound(account)
    row = session.get_one(PolicyRow, (account, owner.policy_version))
    return row.version, Policy.model_validate(row.policy)


def change_policy(session: Session, account: str, changes: dict[str, object], now: datetime) -> tuple[int, Policy]:
    """Returns the newest version; a change that changes nothing adds none. Raises AccountNotFound, ValidationError."""
    row = locked_account(session, account)
    version, policy = current_policy(session, account)
    new = with_changes(policy, changes)
    if new == policy:
        return version, policy
    row.policy_version = version + 1
    session.add(PolicyRow(account=account, version=version + 1, created_at=now, policy=new.model_dump(mode="json")))
    return version + 1, new


def take_customer_no(session: Session, account: str) -> int:
    """The next number of the account's own range; no number is returned twice."""
    row = locked_account(session, account)
    row.next_customer_no += 1
    return row.next_customer_no - 1


def locked_account(session: Session, account: str) -> AccountRow:
    """Raises AccountNotFound."""
    row = session.get(AccountRow, account, with_for_update={"key_share": True})  # rows that reference it may be added
    if row is None:
        raise AccountNotFound(account)
    return row


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
