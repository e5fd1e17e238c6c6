"""Events on their way to the publishers' endpoints, in order per contract, each until it is taken or given up.

A contract's oldest event that waits is its turn; the later ones wait for it, and other contracts do not. All times are
real time, in seconds since 1970.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from avtal.contracts.frozen import Frozen
from avtal.store.engine.cipher import Cipher
from avtal.store.feed.endpoints import locked_endpoint, valid_secrets
from avtal.store.feed.events import StoredEvent
from avtal.store.queues.inbox import Backlog
from avtal.store.tables import DeliveryRow, EndpointRow, EventRow, FeedRow

LEASE_SECONDS = 30.0
"""Longer than an endpoint is waited for."""
KEPT_SECONDS = 72 * 3600
RETRY_AFTER_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
AT_ONCE_PER_ENDPOINT_MAX = 4
QUEUED_AT_ONCE_MAX = 1_000
REPLAYED_AT_ONCE_MAX = 10_000


class NoEndpoint(Exception): ...


class Delivery(Frozen):
    """One event whose turn it is; `secrets` sign it, the newest first."""

    account: str
    leased_until: float
    event: StoredEvent
    url: str
    secrets: tuple[str, ...]


def queue_deliveries(session: Session, now: float) -> None:
    """What has happened since is queued for the endpoints that there are."""
    behind = (
        sa.select(EndpointRow, FeedRow.last_seq)
        .join(FeedRow, FeedRow.account == EndpointRow.account)
        .where(FeedRow.last_seq > EndpointRow.queued_seq)
        .with_for_update(of=EndpointRow, skip_locked=True)
    )
    for row, last_seq in session.execute(behind).all():
        until = min(last_seq, row.queued_seq + QUEUED_AT_ONCE_MAX)
        events = _events(row.account, row.queued_seq).where(EventRow.seq <= until)
        session.execute(sa.insert(DeliveryRow).from_select(*_as_deliveries(events, now)))
        row.queued_seq = until


def claim_deliveries(
    session: Session, cipher: Cipher, now: float, limit: int, under_way: Mapping[str, int]
) -> Sequence[Delivery]:
    """What is due, leased to the caller, who has so many under way for each account. The accounts take turns."""
    claimed: list[Delivery] = []
    for endpoint in session.scalars(_with_work(now)).all():
        free = min(AT_ONCE_PER_ENDPOINT_MAX - under_way.get(endpoint.account, 0), limit - len(claimed))
        if free > 0:
            claimed += _claim(session, cipher, endpoint, now, free)
    return claimed


def release_deliveries(session: Session, deliveries: Sequence[Delivery]) -> None:
    """What a process took and does not finish: another need not wait for the end of its leases."""
    for delivery in deliveries:
        session.execute(
            sa.update(DeliveryRow)
            .where(DeliveryRow.account == delivery.account, DeliveryRow.seq == delivery.event.seq)
            .where(DeliveryRow.leased_until == delivery.leased_until)
            .values(leased_until=0.0)
        )


def delivery_backlog(session: Session, now: float) -> Backlog:
    due = sa.select(sa.func.count(), sa.func.min(DeliveryRow.next_attempt_at)).where(
        DeliveryRow.dead.is_(False), DeliveryRow.next_attempt_at <= now
    )
    rows, oldest = session.execute(due).one()
    return Backlog(rows, now - oldest if rows else 0.0)


def delivered(session: Session, account: str, seq: int) -> None:
    """A success stands, whatever another attempt says later."""
    endpoint = locked_endpoint(session, account)
    if endpoint is not None:
        session.execute(sa.delete(DeliveryRow).where(DeliveryRow.account == account, DeliveryRow.seq == seq))
        endpoint.delivered_seq = max(seq, endpoint.delivered_seq or 0)


def failed(session: Session, account: str, seq: int, last_error: str, now: float, jitter: float) -> bool:
    """Tried again later, by up to `jitter` (0 to 1) of a tenth of the wait; given up after 72 hours: True then."""
    endpoint = locked_endpoint(session, account)
    row = session.get(DeliveryRow, (account, seq), with_for_update=True)
    if endpoint is None or row is None:
        return False
    endpoint.last_error, endpoint.last_error_at = last_error, datetime.fromtimestamp(now, UTC)
    wait = RETRY_AFTER_SECONDS[min(row.attempts, len(RETRY_AFTER_SECONDS) - 1)]
    give_up_at = row.queued_at + KEPT_SECONDS
    row.attempts += 1
    row.leased_until = 0.0
    row.next_attempt_at = min(now + wait * (1 + jitter / 10), give_up_at)
    row.dead = now >= give_up_at
    return row.dead


def replay(session: Session, account: str, after: int, contract_id: str | None, now: float) -> tuple[int, int | None]:
    """Queues the account's events after a number again, of one contract or of all: how many, and the last of them if
    there are more. Raises NoEndpoint."""
    endpoint = locked_endpoint(session, account)
    if endpoint is None:
        raise NoEndpoint(account)
    events = _events(account, after).where(EventRow.seq <= endpoint.queued_seq)  # later ones are queued anyhow
    if contract_id is not None:
        events = events.where(EventRow.contract_id == contract_id)
    part = events.order_by(EventRow.seq).limit(REPLAYED_AT_ONCE_MAX)
    count, last = session.execute(sa.select(sa.func.count(), sa.func.max(part.subquery().c.seq))).one()
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(DeliveryRow) if is_postgresql else sqlite.insert(DeliveryRow)
    again = {"queued_at": now, "next_attempt_at": now, "attempts": 0, "dead": False}
    session.execute(
        insert.from_select(*_as_deliveries(part, now)).on_conflict_do_update(
            index_elements=[DeliveryRow.account, DeliveryRow.seq], set_=again
        )
    )
    return count, last if count == REPLAYED_AT_ONCE_MAX else None


def _with_work(now: float) -> sa.Select[EndpointRow]:
    """In no order, so that none is always the last."""
    work = sa.select(DeliveryRow.seq).where(DeliveryRow.account == EndpointRow.account, *_due(now))
    return sa.select(EndpointRow).where(work.exists()).order_by(sa.func.random())


def _claim(session: Session, cipher: Cipher, endpoint: EndpointRow, now: float, limit: int) -> Sequence[Delivery]:
    """What another process has locked is skipped, and what it has leased is left to it."""
    earlier = aliased(DeliveryRow)
    is_turn = ~(
        sa.select(earlier.seq)
        .where(earlier.account == DeliveryRow.account, earlier.contract_id == DeliveryRow.contract_id)
        .where(earlier.dead.is_(False), earlier.seq < DeliveryRow.seq)
        .exists()
    )
    rows = session.scalars(
        sa.select(DeliveryRow)
        .where(DeliveryRow.account == endpoint.account, *_due(now), is_turn)
        .order_by(DeliveryRow.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return []
    for row in rows:
        row.leased_until = now + LEASE_SECONDS
    events = session.scalars(
        sa.select(EventRow)
        .where(EventRow.account == endpoint.account, EventRow.seq.in_([row.seq for row in rows]))
        .order_by(EventRow.seq)
    )
    secrets = valid_secrets(cipher, endpoint, now)
    return [
        Delivery(
            account=endpoint.account,
            leased_until=now + LEASE_SECONDS,
            event=StoredEvent.model_validate(event, from_attributes=True),
            url=endpoint.url,
            secrets=secrets,
        )
        for event in events
    ]


def _due(now: float) -> tuple[sa.ColumnElement[bool], ...]:
    return DeliveryRow.dead.is_(False), DeliveryRow.next_attempt_at <= now, DeliveryRow.leased_until <= now


def _events(account: str, after: int) -> sa.Select[str, int, str]:
    return sa.select(EventRow.account, EventRow.seq, EventRow.contract_id).where(
        EventRow.account == account, EventRow.seq > after
    )


def _as_deliveries(
    events: sa.Select[str, int, str], now: float
) -> tuple[list[str], sa.Select[Any]]:  # Any: it has many columns
    """Columns and their values, for an insert."""
    columns = ["account", "seq", "contract_id", "queued_at", "next_attempt_at", "leased_until", "attempts", "dead"]
    stamps = [
        sa.literal(now).label("queued_at"),
        sa.literal(now).label("next_attempt_at"),
        sa.literal(0.0).label("leased"),
    ]
    return columns, events.add_columns(*stamps, sa.literal(0).label("attempts"), sa.false().label("dead"))
