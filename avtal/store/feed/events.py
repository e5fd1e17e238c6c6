"""The event feed: events are appended in the transaction of their change, and numbered per account without gaps.

The number is taken last in the transaction. So the feed's row is the last lock and is held only briefly, and numbers
follow the order of the commits. A rollback frees its number.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.events.events import EventType
from avtal.contracts.frozen import Frozen
from avtal.store.feed.change_tracking import PendingEvent, pending_events
from avtal.store.tables import ClockRow, EventRow, FeedRow
from avtal.store.tables.columns import Json


class StoredEvent(Frozen):
    event_id: str
    seq: int
    at: datetime
    type: EventType
    contract_id: str
    bill_id: str | None
    data: Json


_WRITE = sa.insert(EventRow)
_TAKE = (
    sa.update(FeedRow)
    .where(FeedRow.account == sa.bindparam("of"))
    .values(last_seq=FeedRow.last_seq + sa.bindparam("count"))
    .returning(FeedRow.last_seq)
)
_TAKE_ON_TEST_CLOCK = _TAKE.returning(sa.select(ClockRow.offset_seconds).where(ClockRow.id == 1).scalar_subquery())


def open_feed(session: Session, account: str) -> None:
    """Call it with the creation of the account. The first event gets the number 1."""
    session.add(FeedRow(account=account, last_seq=0))


def write_events(session: Session, *, test_clock: bool = False) -> None:
    """Appends the events of this transaction. Call it last, before the commit."""
    pending = pending_events(session)
    if not pending:
        return
    session.flush()  # so that its locks come before the feed's
    for account in sorted(
        {event.account for event in pending}
    ):  # always in this order, so that no two transactions deadlock
        _write(session, account, [event for event in pending if event.account == account], test_clock)


def _write(session: Session, account: str, events: Sequence[PendingEvent], test_clock: bool) -> None:
    last_seq, offset = _take_numbers(session, account, len(events), test_clock)
    recorded = datetime.now(UTC)
    dated = {"at": recorded + offset, "recorded": recorded}
    rows = [
        {**event._asdict(), **dated, "seq": seq, "event_id": f"evt_{secrets.token_hex(12)}"}
        for seq, event in enumerate(events, last_seq - len(events) + 1)
    ]
    session.connection().execute(_WRITE, rows)


def _take_numbers(session: Session, account: str, count: int, test_clock: bool) -> tuple[int, timedelta]:
    """Returns the last number, and how far the test clock runs ahead of real time. Locks the feed's row."""
    parameters = {"of": account, "count": count}
    if not test_clock:
        return session.connection().execute(_TAKE, parameters).scalar_one(), timedelta()
    last_seq, seconds = session.connection().execute(_TAKE_ON_TEST_CLOCK, parameters).one()
    return last_seq, timedelta(seconds=seconds or 0.0)


def events_after(session: Session, account: str, after: int, limit: int) -> Sequence[StoredEvent]:
    rows = session.scalars(
        sa.select(EventRow).where(EventRow.account == account, EventRow.seq > after).order_by(EventRow.seq).limit(limit)
    )
    return [StoredEvent.model_validate(row, from_attributes=True) for row in rows]
