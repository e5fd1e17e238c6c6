"""The publishers' endpoints: address, signing secrets, and the state of deliveries to them."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.frozen import Frozen
from avtal.store.accounts.accounts import locked_account
from avtal.store.engine.cipher import Cipher
from avtal.store.tables import DeliveryRow, EndpointRow, FeedRow

SECRET_BYTES = 32
OLD_SECRET_VALID_SECONDS = 24 * 3600
DEAD_SHOWN_MAX = 100


class Endpoint(Frozen):
    """An endpoint without its secrets. `dead` are the numbers of dead deliveries: the oldest 100."""

    url: str
    delivered_seq: int | None
    waiting: int
    oldest_waiting_seq: int | None
    oldest_waiting_since: datetime | None
    dead: tuple[int, ...]
    last_error: str | None
    last_error_at: datetime | None


def set_endpoint(
    session: Session, cipher: Cipher, account: str, url: str, now: float, *, new_secret: bool = False
) -> str | None:
    """Returns the signing secret if one was generated; it can't be read again. `now` is real time.

    A new endpoint receives events from now on. At a changed URL all waiting deliveries are due immediately. Raises
    AccountNotFound.
    """
    locked_account(session, account)
    row = locked_endpoint(session, account)
    if row is None:
        return _add_endpoint(session, cipher, account, url)
    if row.url != url:
        row.url = url
        session.execute(sa.update(DeliveryRow).where(DeliveryRow.account == account).values(next_attempt_at=now))
    return _rotate_secret(cipher, row, now) if new_secret else None


def remove_endpoint(session: Session, account: str) -> None:
    """Deletes it with its secrets and deliveries; the feed keeps all events."""
    row = locked_endpoint(session, account)
    if row is not None:
        session.execute(sa.delete(DeliveryRow).where(DeliveryRow.account == account))
        session.delete(row)


def endpoint(session: Session, account: str) -> Endpoint | None:
    row = session.get(EndpointRow, account)
    if row is None:
        return None
    waiting, oldest = _waiting(session, account)
    return Endpoint(
        url=row.url,
        delivered_seq=row.delivered_seq,
        waiting=waiting,
        oldest_waiting_seq=oldest.seq if oldest else None,
        oldest_waiting_since=datetime.fromtimestamp(oldest.queued_at, UTC) if oldest else None,
        dead=tuple(_dead(session, account)),
        last_error=row.last_error,
        last_error_at=row.last_error_at,
    )


def locked_endpoint(session: Session, account: str) -> EndpointRow | None:
    """Lock it before its deliveries."""
    return session.get(EndpointRow, account, with_for_update=True)


def valid_secrets(cipher: Cipher, row: EndpointRow, now: float) -> tuple[str, ...]:
    """Newest first; two for 24 hours after a rotation. `now` is real time."""
    sealed = [row.secret, *([row.old_secret] if row.old_secret and now < row.old_secret_until else [])]
    return tuple(cipher.unseal(secret) for secret in sealed)


def _add_endpoint(session: Session, cipher: Cipher, account: str, url: str) -> str:
    secret = _new_secret()
    sealed, last_seq = cipher.seal(secret), session.get_one(FeedRow, account).last_seq
    row = EndpointRow(
        account=account, url=url, secret=sealed, old_secret=None, old_secret_until=0.0, queued_seq=last_seq
    )
    session.add(row)
    return secret


def _rotate_secret(cipher: Cipher, row: EndpointRow, now: float) -> str:
    secret = _new_secret()
    row.old_secret, row.old_secret_until = row.secret, now + OLD_SECRET_VALID_SECONDS
    row.secret = cipher.seal(secret)
    return secret


def _new_secret() -> str:
    """In the format of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _waiting(session: Session, account: str) -> tuple[int, DeliveryRow | None]:
    waiting = sa.select(DeliveryRow).where(DeliveryRow.account == account, DeliveryRow.dead.is_(False))
    oldest = session.scalars(waiting.order_by(DeliveryRow.seq).limit(1)).first()
    return session.scalar(sa.select(sa.func.count()).select_from(waiting.subquery())) or 0, oldest


def _dead(session: Session, account: str) -> Sequence[int]:
    dead = sa.select(DeliveryRow.seq).where(DeliveryRow.account == account, DeliveryRow.dead.is_(True))
    return session.scalars(dead.order_by(DeliveryRow.seq).limit(DEAD_SHOWN_MAX)).all()
