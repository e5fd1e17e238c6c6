"""Which account is reconciled next, and by which process. All times are real time, in seconds since 1970."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from avtal.store.queues.lease import is_due, lease
from avtal.store.tables import AccountRow, SweepRow

LEASE_SECONDS = 120.0
"""Renewed while a sweep runs."""
_DUE = (
    sa.select(SweepRow.account)
    .where(is_due(SweepRow))
    .order_by(SweepRow.next_attempt_at, SweepRow.account)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def claim_sweep(session: Session, now: float) -> str | None:
    """Leases an account that is due; None if there is none."""
    _add_new_accounts(session)
    account = session.scalar(_DUE, {"now": now})
    if account is not None:
        renew_sweep(session, account, now)
    return account


def renew_sweep(session: Session, account: str, now: float) -> None:
    lease(session, SweepRow, [account], now + LEASE_SECONDS)


def finish_sweep(session: Session, account: str, next_attempt_at: float) -> None:
    values = {"next_attempt_at": next_attempt_at, "leased_until": 0.0}
    session.execute(sa.update(SweepRow).where(SweepRow.account == account).values(values))


def _add_new_accounts(session: Session) -> None:
    new = sa.select(AccountRow.account, sa.literal(0.0), sa.literal(0.0)).where(
        AccountRow.account.not_in(sa.select(SweepRow.account))
    )
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(SweepRow) if dialect == "postgresql" else sqlite.insert(SweepRow)
    session.execute(insert.from_select(["account", "next_attempt_at", "leased_until"], new).on_conflict_do_nothing())
