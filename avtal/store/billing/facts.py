"""Appends facts to bills. No other code does.

In one transaction, with the bills' rows locked: facts that are new are added, the status is computed from all facts by
`contracts.bills`, and the version rises if a field used by the contract's rules changed. Then a message to the
contract is queued, unless the bill is still creating: its activity returns the snapshot itself.
"""

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, Fact, ParkedReason, add_up, is_same_fact, status_of
from avtal.contracts.periods import civil_day
from avtal.store.billing.bill_locks import BillReference, Key, split_keys
from avtal.store.feed.change_tracking import track_bill
from avtal.store.tables import BillRow, FactRow, OutboxRow
from avtal.store.tables.snapshots import parked_of

_INSERT = sa.insert(FactRow)
_BY_BILL_ID = (
    sa.select(FactRow.account, FactRow.bill_id, FactRow.fact)
    .where(
        FactRow.account.in_(sa.bindparam("accounts", expanding=True)),
        FactRow.bill_id.in_(sa.bindparam("ids", expanding=True)),
    )
    .order_by(FactRow.at, FactRow.id)
)
_QUEUE = sa.insert(OutboxRow).inline()


class BillBatch:
    """Bills to which facts are appended together: read with one statement, and written with one."""

    def __init__(self, session: Session, bills: Sequence[BillRow]) -> None:
        """`bills` are locked by this transaction."""
        self._session = session
        self._bills = bills
        self._known = _facts(session, [(bill.account, bill.bill_id) for bill in bills])
        self._new: list[tuple[BillRow, Fact]] = []

    def bill(self, reference: BillReference) -> BillRow | None:
        """By the invoice, or by our id as long as the bill has no invoice (EDGE-14)."""
        of_account = [bill for bill in self._bills if bill.account == reference.account]
        of_invoice = (bill for bill in of_account if bill.billogram_id == reference.billogram_id)
        by_our_id = (bill for bill in of_account if bill.bill_id == reference.custom and bill.billogram_id is None)
        return next(of_invoice, None) or next(by_our_id, None)

    def facts_of(self, bill: BillRow) -> Sequence[Fact]:
        return self._known[bill.account, bill.bill_id]

    def append_facts(self, bill: BillRow, facts: Iterable[Fact], *, signal: bool = True) -> bool:
        """Updates the bill. Its new facts are inserted by `write`. `signal` queues a message to its contract. Returns
        whether its version rose."""
        known = self._known[bill.account, bill.bill_id]
        tracked = track_bill(self._session, bill)
        new: list[Fact] = []
        for fact in facts:
            if not any(is_same_fact(fact, other) for other in (*known, *new)):
                new.append(fact)
        known += new
        self._new += [(bill, fact) for fact in new]
        tracked.add_facts(new, known)
        return recompute(self._session, bill, known, signal=signal)

    def write(self) -> None:
        """Call it once all facts are appended, and before anything else reads them."""
        if self._new:
            self._session.flush()  # the bill's row goes before its facts
            self._session.connection().execute(_INSERT, [_row(bill, fact) for bill, fact in self._new])
            self._new = []


def append_facts(session: Session, bill: BillRow, facts: Iterable[Fact], *, signal: bool = True) -> bool:
    """A batch of one bill, which this transaction has locked. Returns whether its version rose."""
    batch = BillBatch(session, [bill])
    rose = batch.append_facts(bill, facts, signal=signal)
    batch.write()
    return rose


def facts_of(session: Session, bill: BillRow) -> Sequence[Fact]:
    """By date; facts of one instant in the order in which they were appended."""
    key = bill.account, bill.bill_id
    return _facts(session, [key])[key]


def recompute(session: Session, bill: BillRow, facts: Iterable[Fact], *, signal: bool = True) -> bool:
    """Sets what follows from the facts and from our own decisions about the bill. Returns whether its version rose."""
    track_bill(session, bill)
    before = _decisive_fields(bill)
    _apply_facts(bill, facts)
    if _decisive_fields(bill) == before:
        return False
    bill.version += 1
    if signal and bill.status != BillStatus.CREATING:
        message = {"account": bill.account, "contract_id": bill.contract_id, "bill_id": bill.bill_id}
        session.connection().execute(_QUEUE, message)  # now, because the row stores the current trace
    return True


def _apply_facts(bill: BillRow, facts: Iterable[Fact]) -> None:
    figures = add_up(facts, bill.total_minor)
    dispatched, reopened = figures.dispatched_at, figures.reopened_at
    bill.total_minor = figures.total_minor
    bill.remaining_minor = figures.remaining_minor
    bill.dispatched_on = civil_day(dispatched, bill.zone) if dispatched else None
    bill.due_date = figures.due_date
    bill.lost_at = figures.lost_at
    bill.reopened_on = civil_day(reopened, bill.zone) if reopened else None
    bill.status = status_of(figures, made=bill.made, parked=parked_of(bill), void=bill.void)
    if bill.status == BillStatus.PARKED and bill.parked_reason is None:
        bill.parked_reason = ParkedReason.REMOTE_DELETED


def _decisive_fields(bill: BillRow) -> tuple[object, ...]:
    """What the contract decides by."""
    return (
        bill.status,
        bill.dispatched_on,
        bill.due_date,
        bill.remaining_minor,
        bill.lost_at,
        bill.reopened_on,
        bill.parked_reason,
    )


def _facts(session: Session, bills: Collection[Key]) -> dict[Key, list[Fact]]:
    known: dict[Key, list[Fact]] = {key: [] for key in bills}
    if bills:
        with session.no_autoflush:  # facts are inserted by `write`, never pending
            rows = session.execute(_BY_BILL_ID, split_keys(bills)).all()
        for account, bill_id, fact in rows:
            if (account, bill_id) in known:
                known[account, bill_id].append(Fact.model_validate(fact))
    return known


def _row(bill: BillRow, fact: Fact) -> dict[str, object]:
    return {
        "account": bill.account,
        "bill_id": bill.bill_id,
        "type": fact.type,
        "at": fact.at,
        "event_uuid": fact.event_uuid,
        "fact": fact.model_dump(mode="json"),
    }
