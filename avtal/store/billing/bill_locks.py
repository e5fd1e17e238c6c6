"""Locks bills, many in one statement, and always in the same order: transactions that lock several never deadlock."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.store.tables import BillRow

Key = tuple[str, str]
"""The account, and an id within it: of a bill, an invoice, or a contract."""

# By each column: for pairs, SQLite scans the table. Rows that match no pair are filtered out afterwards.
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_OF_ACCOUNTS = (
    sa.select(BillRow)
    .where(BillRow.account.in_(sa.bindparam("accounts", expanding=True)))
    .order_by(BillRow.account, BillRow.bill_id)
)
_BY_BILL_ID, _BY_INVOICE = (
    _OF_ACCOUNTS.where(column.in_(_IDS)).execution_options(populate_existing=True)
    for column in (BillRow.bill_id, BillRow.billogram_id)
)


class BillReference(NamedTuple):
    """A bill as a callback names it. `custom` is our bill id, if it was sent along."""

    account: str
    billogram_id: str
    custom: str | None


def lock_bill(session: Session, account: str, bill_id: str) -> BillRow | None:
    return next(iter(lock_bills(session, [(account, bill_id)])), None)


def lock_bills(session: Session, keys: Collection[Key]) -> Sequence[BillRow]:
    """Those that exist, by account and bill id."""
    return [bill for bill in _lock(session, _BY_BILL_ID, keys, nowait=False) if (bill.account, bill.bill_id) in keys]


def lock_referenced_bills(
    session: Session, references: Collection[BillReference], *, nowait: bool = False
) -> Sequence[BillRow]:
    """Those that exist, and perhaps others. With `nowait` it raises OperationalError if another transaction has locked
    one of them."""
    invoices = [(one.account, one.billogram_id) for one in references]
    found = _lock(session, _BY_INVOICE, invoices, nowait=nowait)
    known = {(bill.account, bill.billogram_id) for bill in found}
    unknown = [
        (one.account, one.custom) for one in references if one.custom and (one.account, one.billogram_id) not in known
    ]
    return [*found, *_lock(session, _BY_BILL_ID, unknown, nowait=nowait)]


def split_keys(keys: Collection[Key]) -> dict[str, list[str]]:
    """Parameters of a statement that filters by each column."""
    return {"accounts": [*{account for account, _ in keys}], "ids": [*{identity for _, identity in keys}]}


def _lock(session: Session, bills: sa.Select[BillRow], keys: Collection[Key], *, nowait: bool) -> Sequence[BillRow]:
    return session.scalars(bills.with_for_update(nowait=nowait), split_keys(keys)).all() if keys else []
