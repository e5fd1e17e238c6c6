"""The places that an account's renewals take in an hour."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from contracts.turns import hour_of
from store.columns import Table


class TurnsRow(Table):
    """How many are taken. Past hours stay."""

    __tablename__ = "turns"

    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    taken: Mapped[int]


_COUNT = sa.bindparam("count", type_=sa.Integer)
_TAKE = {
    dialect: insert(TurnsRow)
    .values(taken=_COUNT)
    .on_conflict_do_update(index_elements=["account", "hour"], set_={"taken": TurnsRow.taken + _COUNT})
    .returning(TurnsRow.taken)
    for dialect, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def take_places(session: Session, account: str, due: datetime, count: int = 1) -> range:
    """The next places in the hour of that instant, from 0. The hour is locked until the transaction ends."""
    connection = session.connection()
    asked = {"account": account, "hour": hour_of(due), "count": count}
    taken: int = connection.execute(_TAKE[connection.dialect.name], asked).scalar_one()
    return range(taken - count, taken)
