"""Versions of a contract's terms: each change while it runs adds one (`contracts/bills/creation.py`)."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.creation import Terms, terms_in_force
from avtal.contracts.policy import with_changes
from avtal.contracts.schedule import Schedule, first_period_after
from avtal.store.accounts.accounts import current_policy
from avtal.store.tables import ContractRow, TermsRow


def terms_for(session: Session, account: str, contract_id: str, period: int) -> Terms:
    """The terms of a bill of this period whose creation starts now."""
    return terms_in_force(terms_of(session, account, [contract_id])[contract_id], period)


def terms_of(session: Session, account: str, contract_ids: Sequence[str]) -> dict[str, list[Terms]]:
    """All versions by contract, oldest first; one statement."""
    found: dict[str, list[Terms]] = {contract_id: [] for contract_id in contract_ids}
    rows = session.scalars(
        sa.select(TermsRow)
        .where(TermsRow.account == account, TermsRow.contract_id.in_(contract_ids))
        .order_by(TermsRow.contract_id, TermsRow.version)
    )
    for row in rows:
        found[row.contract_id].append(Terms.model_validate(row, from_attributes=True))
    return found


def change_terms(session: Session, account: str, contract_id: str, changes: dict[str, object], now: datetime) -> None:
    """Adds a version with these fields of `Terms` changed, unless nothing changes. New lines hold from the first period
    whose nominal billing instant is later than `now`, whether or not its bill exists."""
    contract = session.get_one(ContractRow, (account, contract_id), with_for_update=True)
    newest = terms_of(session, account, [contract_id])[contract_id][-1]
    changed = newest.model_copy(update=changes)
    if changed == newest:
        return
    first_period = newest.first_period
    if changed.lines != newest.lines:
        policy = with_changes(current_policy(session, account)[1], newest.policy_override)
        schedule = Schedule.model_validate(contract.schedule)
        first_period = first_period_after(schedule, policy.renewal_lead_days, now)
    new = changed.model_copy(update={"version": newest.version + 1, "first_period": first_period})
    session.add(terms_row(account, contract_id, new))


def terms_row(account: str, contract_id: str, terms: Terms) -> TermsRow:
    return TermsRow(account=account, contract_id=contract_id, **terms.model_dump(mode="json"))
