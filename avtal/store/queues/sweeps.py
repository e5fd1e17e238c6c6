"""Whose turn it is to be reconciled, and by whom: one process at a time per account. All in real time."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from avtal.store.tables import AccountRow, SweepRow

LEASE_SECONDS = 120.0
"""Renewed while the sweep goes on; what a dead process held is free after it."""


def claim_sweep(session: Session, now: float) -> str | None:
    """An account that is due and that no other process sweeps, leased to the caller."""
    _enter_new_accounts(session)
    row = session.scalars(
        sa.select(SweepRow)
        .where(SweepRow.due_at <= now, SweepRow.leased_until <= now)
        .order_by(SweepRow.due_at, SweepRow.account)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    row.leased_until = now + LEASE_SECONDS
    return row.account


def renew_sweep(session: Session, account: str, now: float) -> None:
    session.execute(sa.update(SweepRow).where(SweepRow.account == account).values(leased_until=now + LEASE_SECONDS))


def finish_sweep(session: Session, account: str, due_at: float) -> None:
    values = {"due_at": due_at, "leased_until": 0.0}
    session.execute(sa.update(SweepRow).where(SweepRow.account == account).values(values))


def _enter_new_accounts(session: Session) -> None:
    new = sa.select(AccountRow.account, sa.literal(0.0), sa.literal(0.0)).where(
        AccountRow.account.not_in(sa.select(SweepRow.account))
    )
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(SweepRow) if dialect == "postgresql" else sqlite.insert(SweepRow)
    session.execute(insert.from_select(["account", "due_at", "leased_until"], new).on_conflict_do_nothing())
