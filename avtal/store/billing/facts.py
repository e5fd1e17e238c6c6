"""The one door by which facts enter a bill.

In one transaction, with the bill's row locked: the facts that are new are added, the status is computed from all of
them by `contracts.bill`, and the version rises if anything changed that the contract decides by. Then the contract is
told, unless the bill is still being made: its maker returns it.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, Fact, Parked, ParkedReason, add_up, is_same_fact, status_of
from avtal.contracts.periods import civil_day
from avtal.store.feed.change_tracking import track_bill
from avtal.store.tables import BillRow, FactRow, OutboxRow

_WRITE = sa.insert(FactRow)
_OF_BILL = (
    sa.select(FactRow.fact)
    .where(FactRow.account == sa.bindparam("account"), FactRow.bill_id == sa.bindparam("bill_id"))
    .order_by(FactRow.at, FactRow.id)
)
_QUEUE = sa.insert(OutboxRow).inline()


def append_facts(session: Session, bill: BillRow, facts: Iterable[Fact], *, signal: bool = True) -> bool:
    """`bill` is locked by this transaction; `signal` queues its news for the contract. True if its version rose."""
    version = bill.version
    new = take_facts(session, bill, facts_of(session, bill), facts, signal=signal)
    write_facts(session, [(bill, fact) for fact in new])
    return bill.version > version


def take_facts(
    session: Session, bill: BillRow, known: Sequence[Fact], facts: Iterable[Fact], *, signal: bool = True
) -> Sequence[Fact]:
    """Those of `facts` that are new. The bill is what they make it; the caller writes them in this transaction."""
    new: list[Fact] = []
    for fact in facts:
        if not any(is_same_fact(fact, other) for other in (*known, *new)):
            new.append(fact)
    track_bill(session, bill).note_facts(new, [*known, *new])
    recompute(session, bill, [*known, *new], signal=signal)
    return new


def write_facts(session: Session, new: Sequence[tuple[BillRow, Fact]]) -> None:
    if new:
        session.flush()  # the bill goes before its facts
        session.connection().execute(_WRITE, [_row(bill, fact) for bill, fact in new])


def facts_of(session: Session, bill: BillRow) -> Sequence[Fact]:
    with session.no_autoflush:  # facts are written at once, so that nothing which they depend on waits
        found = session.scalars(_OF_BILL, {"account": bill.account, "bill_id": bill.bill_id}).all()
    return [Fact.model_validate(fact) for fact in found]


def recompute(session: Session, bill: BillRow, facts: Iterable[Fact], *, signal: bool = True) -> bool:
    """Sets what follows from the facts and from our own decisions about the bill."""
    track_bill(session, bill)
    before = _decides(bill)
    figures = add_up(facts, bill.total_minor)
    dispatched = figures.dispatched_at
    bill.total_minor = figures.total_minor
    bill.remaining_minor = figures.remaining_minor
    bill.dispatched_on = civil_day(dispatched, bill.zone) if dispatched else None
    bill.due_date = figures.due_date
    bill.lost_at = figures.lost_at
    bill.reopened_on = civil_day(figures.reopened_at, bill.zone) if figures.reopened_at else None
    bill.status = status_of(figures, made=bill.made, parked=parked_of(bill), void=bill.void)
    if bill.status == BillStatus.PARKED and bill.parked_reason is None:
        bill.parked_reason = ParkedReason.REMOTE_DELETED
    if _decides(bill) == before:
        return False
    bill.version += 1
    if signal and bill.status != BillStatus.CREATING:
        news = {"account": bill.account, "contract_id": bill.contract_id, "bill_id": bill.bill_id}
        session.connection().execute(_QUEUE, news)  # at once, for it notes the trace that is open now
    return True


def parked_of(bill: BillRow) -> Parked | None:
    if bill.parked_reason is None:
        return None
    return Parked(reason=ParkedReason(bill.parked_reason), field=bill.parked_field)


def _decides(bill: BillRow) -> tuple[object, ...]:
    return (
        bill.status,
        bill.dispatched_on,
        bill.due_date,
        bill.remaining_minor,
        bill.lost_at,
        bill.reopened_on,
        bill.parked_reason,
    )


def _row(bill: BillRow, fact: Fact) -> dict[str, object]:
    return {
        "account": bill.account,
        "bill_id": bill.bill_id,
        "type": fact.type,
        "at": fact.at,
        "event_uuid": fact.event_uuid,
        "fact": fact.model_dump(mode="json"),
    }
