"""The event feed: what a transaction has changed is told with its commit, numbered per account without gaps.

The number is taken last of all. So the feed's lock is the last one of every transaction, is held for a moment only, and
gives numbers in the order of the commits; a rollback gives its number back.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from contracts.events import EventType
from contracts.record import Record
from store.columns import Json
from store.event_schema import EventRow, FeedRow
from store.schema import ClockRow
from store.watching import News, news_of


class StoredEvent(Record):
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
    .returning(FeedRow.last_seq, sa.select(ClockRow.offset_seconds).where(ClockRow.id == 1).scalar_subquery())
)


def open_feed(session: Session, account: str) -> None:
    """With its account; the first event has the number 1."""
    session.add(FeedRow(account=account, last_seq=0))


def write_events(session: Session) -> None:
    """The last thing that a transaction does before its commit."""
    told = news_of(session)
    if not told:
        return
    session.flush()  # whatever locks that takes come before the feed's
    for account in sorted({news.account for news in told}):  # always in this order, so that no two wait for each other
        _write(session, account, [news for news in told if news.account == account])


def _write(session: Session, account: str, told: Sequence[News]) -> None:
    last_seq, ahead = _take_numbers(session, account, len(told))
    recorded = datetime.now(UTC)
    now = {"at": recorded + ahead, "recorded": recorded}
    rows = [
        {**news._asdict(), **now, "seq": seq, "event_id": f"evt_{secrets.token_hex(12)}"}
        for seq, news in enumerate(told, last_seq - len(told) + 1)
    ]
    session.connection().execute(_WRITE, rows)


def events_after(session: Session, account: str, after: int, limit: int) -> Sequence[StoredEvent]:
    rows = session.scalars(
        sa.select(EventRow).where(EventRow.account == account, EventRow.seq > after).order_by(EventRow.seq).limit(limit)
    )
    return [StoredEvent.model_validate(row, from_attributes=True) for row in rows]


def _take_numbers(session: Session, account: str, count: int) -> tuple[int, timedelta]:
    """The last one taken, and how far the system's time runs ahead of real time: one question, one row locked."""
    last_seq, seconds = session.connection().execute(_TAKE, {"of": account, "count": count}).one()
    return last_seq, timedelta(seconds=seconds or 0.0)
