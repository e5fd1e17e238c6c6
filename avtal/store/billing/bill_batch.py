"""The bills that a number of callbacks or answers tell of: locked and read together, and written together.

A question for each kind of row, however many bills they are. What is new enters by the one door (store/facts.py).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import Fact
from avtal.store.billing.facts import take_facts, write_facts
from avtal.store.tables import BillRow, FactRow

Key = tuple[str, str]
"""The account, and an id of the bill: ours, or the platform's."""

# By each column and not by pairs: for pairs, SQLite reads the whole table. What belongs to no pair is left out here.
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_ACCOUNTS: sa.BindParameter[str] = sa.bindparam("accounts", expanding=True)
# Always in this order, so that no two who lock several wait for each other.
_OF_ACCOUNTS = sa.select(BillRow).where(BillRow.account.in_(_ACCOUNTS)).order_by(BillRow.account, BillRow.bill_id)
_BILLS, _BILLS_OF_INVOICES = (
    _OF_ACCOUNTS.where(column.in_(_IDS)).execution_options(populate_existing=True)
    for column in (BillRow.bill_id, BillRow.billogram_id)
)
_FACTS = (
    sa.select(FactRow.account, FactRow.bill_id, FactRow.fact)
    .where(FactRow.account.in_(_ACCOUNTS), FactRow.bill_id.in_(_IDS))
    .order_by(FactRow.at, FactRow.id)
)


class Named(NamedTuple):
    """A bill as a callback names it: by the platform's id, and by ours if it was sent along."""

    account: str
    billogram_id: str
    custom: str | None


class BillBatch:
    def __init__(self, session: Session, bills: Sequence[BillRow]) -> None:
        """They are locked by this transaction."""
        self._session = session
        self._bills = bills
        self._known = _facts(session, [(bill.account, bill.bill_id) for bill in bills])
        self._new: list[tuple[BillRow, Fact]] = []
        self.has_news = False
        """Whether a contract may have to be told."""

    def bill(self, named: Named) -> BillRow | None:
        """By the platform's id, or by ours while the platform's is not known yet (EDGE-14)."""
        of_account = [bill for bill in self._bills if bill.account == named.account]
        of_invoice = (bill for bill in of_account if bill.billogram_id == named.billogram_id)
        by_our_id = (bill for bill in of_account if bill.bill_id == named.custom and bill.billogram_id is None)
        return next(of_invoice, None) or next(by_our_id, None)

    def facts_of(self, bill: BillRow) -> Sequence[Fact]:
        return self._known[bill.account, bill.bill_id]

    def add(self, bill: BillRow, facts: Iterable[Fact], *, signal: bool = True) -> None:
        """The bill is what they make it; `signal` queues its news for the contract. They are written by `write`."""
        known, version = self._known[bill.account, bill.bill_id], bill.version
        new = take_facts(self._session, bill, known, facts, signal=signal)
        known += new
        self.has_news |= bill.version > version
        self._new += [(bill, fact) for fact in new]

    def write(self) -> None:
        write_facts(self._session, self._new)
        self._new = []


def lock_bills(session: Session, keys: Collection[Key]) -> Sequence[BillRow]:
    """Those that are there, by account and our id."""
    return [bill for bill in _lock(session, _BILLS, keys, nowait=False) if (bill.account, bill.bill_id) in keys]


def lock_named(session: Session, named: Collection[Named], *, nowait: bool = False) -> Sequence[BillRow]:
    """And perhaps others. Raises OperationalError with `nowait`, if another transaction has locked one of them."""
    found = _lock(session, _BILLS_OF_INVOICES, [(one.account, one.billogram_id) for one in named], nowait=nowait)
    known = {(bill.account, bill.billogram_id) for bill in found}
    unknown = [
        (one.account, one.custom) for one in named if one.custom and (one.account, one.billogram_id) not in known
    ]
    return [*found, *_lock(session, _BILLS, unknown, nowait=nowait)]


def _lock(session: Session, bills: sa.Select[BillRow], keys: Collection[Key], *, nowait: bool) -> Sequence[BillRow]:
    return session.scalars(bills.with_for_update(nowait=nowait), apart(keys)).all() if keys else []


def _facts(session: Session, bills: Collection[Key]) -> dict[Key, list[Fact]]:
    known: dict[Key, list[Fact]] = {key: [] for key in bills}
    if bills:
        for account, bill_id, fact in session.execute(_FACTS, apart(bills)):
            if (account, bill_id) in known:
                known[account, bill_id].append(Fact.model_validate(fact))
    return known


def apart(keys: Collection[Key]) -> dict[str, list[str]]:
    """For a statement that asks by each column; it finds what belongs to no pair, too."""
    return {"accounts": [*{account for account, _ in keys}], "ids": [*{of_bill for _, of_bill in keys}]}
