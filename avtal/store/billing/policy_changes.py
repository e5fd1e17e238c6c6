"""Applies a change of policy to bills that exist."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import LIVE, BillStatus
from avtal.contracts.policy import Policy, with_changes
from avtal.store.billing.bills import apply_policy
from avtal.store.billing.terms import terms_of
from avtal.store.engine.database import IDS_PER_STATEMENT_MAX
from avtal.store.tables import BillRow, OutboxRow
from avtal.store.tables.snapshots import snapshot_of

OPEN_TO_POLICY = frozenset({*LIVE, BillStatus.EXPIRED})
"""Bills that a policy still affects."""


class OpenBills(NamedTuple):
    """The bills of one contract that a policy affects, and the contract's own override of the policy."""

    contract_id: str
    bills: list[BillRow]
    override: dict[str, object]


def locked_open_bills(session: Session, account: str) -> list[OpenBills]:
    """Call it before locking the account: the creation of a bill locks in that order."""
    return list(open_bills(session, account, lock=True))


def apply_to_open_bills(
    session: Session, account: str, contracts: Sequence[OpenBills], version: int, policy: Policy
) -> None:
    """Applies the policy, with each contract's own override, to these bills, and queues messages to their contracts."""
    for contract_id, bills, override in contracts:
        for bill in bills:
            before = snapshot_of(bill)
            apply_policy(bill, version, with_changes(policy, override))
            if snapshot_of(bill) == before:
                continue
            bill.version += 1
            if bill.status != BillStatus.CREATING:
                session.add(OutboxRow(account=account, contract_id=contract_id, bill_id=bill.bill_id))


def open_bills(session: Session, account: str, *, lock: bool = False) -> Iterator[OpenBills]:
    """By contract, in the order of their ids."""
    query = sa.select(BillRow).where(BillRow.account == account, BillRow.status.in_(OPEN_TO_POLICY))
    query = query.order_by(BillRow.contract_id, BillRow.period_no)
    bills = session.scalars(query.with_for_update() if lock else query).all()
    of_contract = {key: list(group) for key, group in groupby(bills, key=lambda bill: bill.contract_id)}
    ids = list(of_contract)
    for first in range(0, len(ids), IDS_PER_STATEMENT_MAX):
        versions = terms_of(session, account, ids[first : first + IDS_PER_STATEMENT_MAX])
        for contract_id, terms in versions.items():
            yield OpenBills(contract_id, of_contract[contract_id], terms[-1].policy_override)
