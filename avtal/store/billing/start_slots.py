"""The places that an account's renewals take in an hour."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from avtal.contracts.start_slots import hour_of
from avtal.store.tables import StartSlotRow

_COUNT = sa.bindparam("count", type_=sa.Integer)
_TAKE = {
    dialect: insert(StartSlotRow)
    .values(taken=_COUNT)
    .on_conflict_do_update(index_elements=["account", "hour"], set_={"taken": StartSlotRow.taken + _COUNT})
    .returning(StartSlotRow.taken)
    for dialect, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def take_start_slots(session: Session, account: str, due: datetime, count: int = 1) -> range:
    """The next places in the hour of that instant, from 0. The hour is locked until the transaction ends."""
    connection = session.connection()
    asked = {"account": account, "hour": hour_of(due), "count": count}
    taken: int = connection.execute(_TAKE[connection.dialect.name], asked).scalar_one()
    return range(taken - count, taken)
