"""What of a contract may change while it runs: a new version for each change.

Lines hold from a period on; delivery method, EDI number, and policy hold for every bill that is made, or made again,
from the change on.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.contracts.money import Line
from avtal.store.tables import BillRow, ContractRow, TermsRow


class Terms(Frozen):
    version: int
    first_period: int
    lines: tuple[Line, ...]
    delivery_method: DeliveryMethod | None
    edi_number: str | None
    policy_override: dict[str, object]


def terms_for(session: Session, account: str, contract_id: str, period: int) -> Terms:
    """What a bill of this period is made of, if it is made now."""
    return in_force(terms_of(session, account, [contract_id])[contract_id], period)


def in_force(versions: Sequence[Terms], period: int) -> Terms:
    """The lines that hold for the period, and the newest of everything else."""
    newest = versions[-1]
    of_period = [terms for terms in versions if terms.first_period <= period]
    return newest.model_copy(update={"lines": of_period[-1].lines})


def terms_of(session: Session, account: str, contract_ids: Sequence[str]) -> dict[str, list[Terms]]:
    """All versions of several contracts, oldest first; one query."""
    found: dict[str, list[Terms]] = {contract_id: [] for contract_id in contract_ids}
    rows = session.scalars(
        sa.select(TermsRow)
        .where(TermsRow.account == account, TermsRow.contract_id.in_(contract_ids))
        .order_by(TermsRow.contract_id, TermsRow.version)
    )
    for row in rows:
        found[row.contract_id].append(Terms.model_validate(row, from_attributes=True))
    return found


def change_terms(session: Session, account: str, contract_id: str, changes: dict[str, object]) -> None:
    """`changes` are fields of Terms. A change that changes nothing makes no version."""
    session.get_one(ContractRow, (account, contract_id), with_for_update=True)
    newest = terms_of(session, account, [contract_id])[contract_id][-1]
    wanted = newest.model_copy(update=changes)
    if wanted == newest:
        return
    following = newest.first_period if wanted.lines == newest.lines else _next_period(session, account, contract_id)
    new = wanted.model_copy(update={"version": newest.version + 1, "first_period": following})
    session.add(terms_row(account, contract_id, new))


def _next_period(session: Session, account: str, contract_id: str) -> int:
    """The first one whose bill was not begun."""
    newest = session.scalar(
        sa.select(sa.func.max(BillRow.period_no)).where(BillRow.account == account, BillRow.contract_id == contract_id)
    )
    return 0 if newest is None else newest + 1


def terms_row(account: str, contract_id: str, terms: Terms) -> TermsRow:
    return TermsRow(account=account, contract_id=contract_id, **terms.model_dump(mode="json"))
