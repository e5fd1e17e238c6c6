"""Where each publisher wants to be told: the address, the secrets that sign what goes there, and how it is doing."""

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
OLD_SECRET_KEPT_SECONDS = 24 * 3600
DEAD_SHOWN_MAX = 100


class Endpoint(Frozen):
    """How an endpoint is doing, without its secrets. `dead` are the events that were given up, the oldest 100."""

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
    """The signing secret if one was made, which is shown this once. A new endpoint hears what happens from now on;
    one that has moved gets at once what waits. `now` is real time."""
    locked_account(session, account)
    row = locked_endpoint(session, account)
    if row is None:
        secret = _new_secret()
        last_seq = session.get_one(FeedRow, account).last_seq
        sealed = cipher.seal(secret)
        session.add(
            EndpointRow(
                account=account, url=url, secret=sealed, old_secret=None, old_secret_until=0.0, queued_seq=last_seq
            )
        )
        return secret
    if row.url != url:
        row.url = url
        session.execute(sa.update(DeliveryRow).where(DeliveryRow.account == account).values(next_attempt_at=now))
    return _rotate(cipher, row, now) if new_secret else None


def remove_endpoint(session: Session, account: str) -> None:
    """With its secrets and what was on its way to it; the feed keeps everything."""
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
    """Before its deliveries, wherever both are locked."""
    return session.get(EndpointRow, account, with_for_update=True)


def valid_secrets(cipher: Cipher, row: EndpointRow, now: float) -> tuple[str, ...]:
    """Newest first; two for 24 hours after a rotation."""
    sealed = [row.secret, *([row.old_secret] if row.old_secret and now < row.old_secret_until else [])]
    return tuple(cipher.unseal(one) for one in sealed)


def _rotate(cipher: Cipher, row: EndpointRow, now: float) -> str:
    secret = _new_secret()
    row.old_secret, row.old_secret_until = row.secret, now + OLD_SECRET_KEPT_SECONDS
    row.secret = cipher.seal(secret)
    return secret


def _new_secret() -> str:
    """In the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _waiting(session: Session, account: str) -> tuple[int, DeliveryRow | None]:
    waiting = sa.select(DeliveryRow).where(DeliveryRow.account == account, DeliveryRow.dead.is_(False))
    oldest = session.scalars(waiting.order_by(DeliveryRow.seq).limit(1)).first()
    return session.scalar(sa.select(sa.func.count()).select_from(waiting.subquery())) or 0, oldest


def _dead(session: Session, account: str) -> Sequence[int]:
    dead = sa.select(DeliveryRow.seq).where(DeliveryRow.account == account, DeliveryRow.dead.is_(True))
    return session.scalars(dead.order_by(DeliveryRow.seq).limit(DEAD_SHOWN_MAX)).all()
