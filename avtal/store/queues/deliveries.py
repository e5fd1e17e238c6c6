"""Deliveries of events to the publishers' endpoints, in order per contract, each until it is accepted or dead.

Only a contract's oldest waiting delivery can be claimed; other contracts do not wait for it. All times are real time,
in seconds since 1970.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from avtal.contracts.frozen import Frozen
from avtal.store.accounts.endpoints import locked_endpoint, valid_secrets
from avtal.store.engine.cipher import Cipher
from avtal.store.feed.events import StoredEvent
from avtal.store.queues.lease import Backlog, backlog, is_due, lease, release
from avtal.store.tables import DeliveryRow, EndpointRow, EventRow, FeedRow

LEASE_SECONDS = 30.0
"""Longer than the timeout of a delivery."""
GIVE_UP_AFTER_SECONDS = 72 * 3600
RETRY_AFTER_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
PER_ENDPOINT_MAX = 4
QUEUED_PER_PASS_MAX = 1_000
REPLAY_PAGE_MAX = 10_000

_EARLIER = aliased(DeliveryRow)
_IS_BEHIND = (
    sa.exists()
    .where(_EARLIER.account == DeliveryRow.account, _EARLIER.contract_id == DeliveryRow.contract_id)
    .where(_EARLIER.dead.is_(False), _EARLIER.seq < DeliveryRow.seq)
)
_IS_DUE = sa.and_(DeliveryRow.dead.is_(False), is_due(DeliveryRow))
_IS_OF_ENDPOINT = DeliveryRow.account == sa.bindparam("of_account")
_DUE = (
    sa.select(DeliveryRow.seq)
    .where(_IS_OF_ENDPOINT, _IS_DUE, ~_IS_BEHIND)
    .order_by(DeliveryRow.seq)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=DeliveryRow)
)
_ENDPOINTS_WITH_WORK = (
    sa.select(EndpointRow)
    .where(sa.exists().where(DeliveryRow.account == EndpointRow.account, _IS_DUE))
    .order_by(sa.func.random())  # so that no endpoint is always the last
)
_EVENTS_BY_SEQ = (
    sa.select(EventRow)
    .where(EventRow.account == sa.bindparam("of_account"), EventRow.seq.in_(sa.bindparam("seqs", expanding=True)))
    .order_by(EventRow.seq)
)


class NoEndpoint(Exception): ...


class Delivery(Frozen):
    """One event to be posted to `url`; `secrets` sign it, newest first."""

    account: str
    leased_until: float
    event: StoredEvent
    url: str
    secrets: tuple[str, ...]


def queue_deliveries(session: Session, now: float) -> None:
    """Queues the events that were appended since the last call, for the accounts that have an endpoint."""
    behind = (
        sa.select(EndpointRow, FeedRow.last_seq)
        .join(FeedRow, FeedRow.account == EndpointRow.account)
        .where(FeedRow.last_seq > EndpointRow.queued_seq)
        .with_for_update(of=EndpointRow, skip_locked=True)
    )
    for row, last_seq in session.execute(behind).all():
        until = min(last_seq, row.queued_seq + QUEUED_PER_PASS_MAX)
        events = _events(row.account, row.queued_seq).where(EventRow.seq <= until)
        session.execute(sa.insert(DeliveryRow).from_select(*_as_deliveries(events, now)))
        row.queued_seq = until


def claim_deliveries(
    session: Session, cipher: Cipher, now: float, limit: int, in_flight: Mapping[str, int]
) -> Sequence[Delivery]:
    """Leases deliveries that are due. `in_flight` counts the caller's by account; the accounts share the limit."""
    claimed: list[Delivery] = []
    for endpoint in session.scalars(_ENDPOINTS_WITH_WORK, {"now": now}).all():
        free = min(PER_ENDPOINT_MAX - in_flight.get(endpoint.account, 0), limit - len(claimed))
        if free > 0:
            claimed += _claim(session, cipher, endpoint, now, free)
    return claimed


def release_deliveries(session: Session, deliveries: Sequence[Delivery]) -> None:
    for one in deliveries:
        release(session, DeliveryRow, one.event.seq, one.leased_until, account=one.account)


def delivery_backlog(session: Session, now: float) -> Backlog:
    return backlog(session, DeliveryRow, now, DeliveryRow.dead.is_(False))


def finish_delivery(session: Session, account: str, seq: int) -> None:
    """The endpoint has accepted the event. A failure of another attempt does not change that."""
    endpoint = locked_endpoint(session, account)
    if endpoint is not None:
        session.execute(sa.delete(DeliveryRow).where(DeliveryRow.account == account, DeliveryRow.seq == seq))
        endpoint.delivered_seq = max(seq, endpoint.delivered_seq or 0)


def fail_delivery(session: Session, account: str, seq: int, last_error: str, now: float, jitter: float) -> bool:
    """Schedules the next attempt, or gives the delivery up after 72 hours; True then. A `jitter` between 0 and 1 adds
    up to a tenth to the wait."""
    endpoint = locked_endpoint(session, account)
    row = session.get(DeliveryRow, (account, seq), with_for_update=True)
    if endpoint is None or row is None:
        return False
    endpoint.last_error, endpoint.last_error_at = last_error, datetime.fromtimestamp(now, UTC)
    wait = RETRY_AFTER_SECONDS[min(row.attempts, len(RETRY_AFTER_SECONDS) - 1)]
    give_up_at = row.queued_at + GIVE_UP_AFTER_SECONDS
    row.attempts += 1
    row.leased_until = 0.0
    row.next_attempt_at = min(now + wait * (1 + jitter / 10), give_up_at)
    row.dead = now >= give_up_at
    return row.dead


def replay(session: Session, account: str, after: int, contract_id: str | None, now: float) -> tuple[int, int | None]:
    """Queues the account's events after number `after` again, of one contract or of all.

    Returns how many, and the number of the last one if there are more. Raises NoEndpoint.
    """
    endpoint = locked_endpoint(session, account)
    if endpoint is None:
        raise NoEndpoint(account)
    events = _events(account, after).where(EventRow.seq <= endpoint.queued_seq)  # later ones are queued anyway
    if contract_id is not None:
        events = events.where(EventRow.contract_id == contract_id)
    page = events.order_by(EventRow.seq).limit(REPLAY_PAGE_MAX)
    count, last = session.execute(sa.select(sa.func.count(), sa.func.max(page.subquery().c.seq))).one()
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(DeliveryRow) if is_postgresql else sqlite.insert(DeliveryRow)
    restarted = {"queued_at": now, "next_attempt_at": now, "attempts": 0, "dead": False}
    session.execute(
        insert.from_select(*_as_deliveries(page, now)).on_conflict_do_update(
            index_elements=[DeliveryRow.account, DeliveryRow.seq], set_=restarted
        )
    )
    return count, last if count == REPLAY_PAGE_MAX else None


def _claim(session: Session, cipher: Cipher, endpoint: EndpointRow, now: float, limit: int) -> Sequence[Delivery]:
    """Rows that another process has locked or leased are skipped."""
    of_endpoint = {"of_account": endpoint.account}
    seqs = session.scalars(_DUE, {**of_endpoint, "now": now, "limit": limit}).all()
    if not seqs:
        return []
    until = now + LEASE_SECONDS
    lease(session, DeliveryRow, seqs, until, account=endpoint.account)
    secrets = valid_secrets(cipher, endpoint, now)
    return [
        Delivery(
            account=endpoint.account,
            leased_until=until,
            event=StoredEvent.model_validate(event, from_attributes=True),
            url=endpoint.url,
            secrets=secrets,
        )
        for event in session.scalars(_EVENTS_BY_SEQ, {**of_endpoint, "seqs": seqs})
    ]


def _events(account: str, after: int) -> sa.Select[str, int, str]:
    return sa.select(EventRow.account, EventRow.seq, EventRow.contract_id).where(
        EventRow.account == account, EventRow.seq > after
    )


def _as_deliveries(
    events: sa.Select[str, int, str], now: float
) -> tuple[list[str], sa.Select[Any]]:  # Any: it has many columns
    """Columns and values for an insert."""
    columns = ["account", "seq", "contract_id", "queued_at", "next_attempt_at", "leased_until", "attempts", "dead"]
    times = [
        sa.literal(now).label("queued_at"),
        sa.literal(now).label("next_attempt_at"),
        sa.literal(0.0).label("leased_until"),
    ]
    return columns, events.add_columns(*times, sa.literal(0).label("attempts"), sa.false().label("dead"))
