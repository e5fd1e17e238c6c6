"""A change of policy for bills that are made already: laid over them, or only tried."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.access.access import AccessNow, access_at, block_of
from avtal.contracts.access.preview import AccessDifference, flip
from avtal.contracts.bills.bill import LIVE, BillSnapshot, BillStatus
from avtal.contracts.policy import Policy, changed
from avtal.store.billing.bills import apply_policy, snapshot_of
from avtal.store.billing.terms import terms_of
from avtal.store.queries.contracts import IDS_AT_ONCE, StoredContract, contracts_by_id
from avtal.store.tables import BillRow, OutboxRow


class Reached(NamedTuple):
    """The bills of one contract, and what the contract's own policy overrides."""

    contract_id: str
    bills: list[BillRow]
    override: dict[str, object]


REACHED = frozenset({*LIVE, BillStatus.EXPIRED})
"""Bills that a policy can still steer."""


def locked_open_bills(session: Session, account: str) -> list[Reached]:
    """To be asked before the account is locked: whoever makes a bill locks them in that order."""
    return list(_reached(session, account, lock=True))


def apply_to_open_bills(
    session: Session, account: str, reached: Sequence[Reached], version: int, policy: Policy
) -> None:
    """Lays the policy, with each contract's own override, over these bills, and queues their news."""
    for contract_id, bills, override in reached:
        for bill in bills:
            before = snapshot_of(bill)
            apply_policy(bill, version, changed(policy, override))
            if snapshot_of(bill) == before:
                continue
            bill.version += 1
            if bill.status != BillStatus.CREATING:
                session.add(OutboxRow(account=account, contract_id=contract_id, bill_id=bill.bill_id))


def preview(session: Session, account: str, policy: Policy, now: datetime) -> Iterator[tuple[str, AccessDifference]]:
    """Whose access would change if the policy were laid over all open bills, and when; in the order of contracts."""
    found = {contract_id: (bills, override) for contract_id, bills, override in _reached(session, account, lock=False)}
    for contract in contracts_by_id(session, account, list(found)):
        bills, override = found[contract.contract_id]
        wanted = changed(policy, override)
        before, after = [snapshot_of(bill) for bill in bills], [_under(snapshot_of(bill), wanted) for bill in bills]
        difference = flip(_access(contract, before, now), _access(contract, after, now), now)
        if difference is not None:
            yield contract.contract_id, difference


def _under(bill: BillSnapshot, policy: Policy) -> BillSnapshot:
    return bill.model_copy(update={"grace_days": policy.grace_days, "on_loss": policy.on_loss})


def _access(contract: StoredContract, bills: list[BillSnapshot], now: datetime) -> AccessNow:
    blocks = [block for bill in bills if (block := block_of(bill, contract.schedule.zone))]
    return access_at(contract.schedule, contract.sold_at, contract.ending, now, blocks)


def _reached(session: Session, account: str, *, lock: bool) -> Iterator[Reached]:
    """The bills of each contract, and what the contract's own policy overrides."""
    query = sa.select(BillRow).where(BillRow.account == account, BillRow.status.in_(REACHED))
    query = query.order_by(BillRow.contract_id, BillRow.period_no)
    bills = session.scalars(query.with_for_update() if lock else query).all()
    of_contract = {key: list(group) for key, group in groupby(bills, key=lambda bill: bill.contract_id)}
    ids = list(of_contract)
    for first in range(0, len(ids), IDS_AT_ONCE):
        versions = terms_of(session, account, ids[first : first + IDS_AT_ONCE])
        for contract_id, terms in versions.items():
            yield Reached(contract_id, of_contract[contract_id], terms[-1].policy_override)
