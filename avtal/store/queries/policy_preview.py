"""Previews a change of policy: the contracts whose access would differ."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from avtal.contracts.access.access import AccessNow, access_at, block_of
from avtal.contracts.access.preview import AccessDifference, access_difference
from avtal.contracts.bills.bill import BillSnapshot
from avtal.contracts.policy import Policy, with_changes
from avtal.store.billing.policy_changes import open_bills
from avtal.store.queries.contracts import StoredContract, contracts_by_id
from avtal.store.tables.snapshots import snapshot_of


def preview(session: Session, account: str, policy: Policy, now: datetime) -> Iterator[tuple[str, AccessDifference]]:
    """The ids of contracts whose access would differ if the policy were applied to all open bills, in their order."""
    found = {contract.contract_id: contract for contract in open_bills(session, account)}
    for contract in contracts_by_id(session, account, list(found)):
        policy_of_contract = with_changes(policy, found[contract.contract_id].override)
        before = [snapshot_of(bill) for bill in found[contract.contract_id].bills]
        after = [_with_policy(bill, policy_of_contract) for bill in before]
        difference = access_difference(_access(contract, before, now), _access(contract, after, now), now)
        if difference is not None:
            yield contract.contract_id, difference


def _with_policy(bill: BillSnapshot, policy: Policy) -> BillSnapshot:
    return bill.model_copy(update={"grace_days": policy.grace_days, "on_loss": policy.on_loss})


def _access(contract: StoredContract, bills: list[BillSnapshot], now: datetime) -> AccessNow:
    blocks = [block for bill in bills if (block := block_of(bill, contract.schedule.zone))]
    return access_at(contract.schedule, contract.sold_at, contract.ending, now, blocks)
