"""Start slots of an account's renewals, counted per hour (`contracts/start_slots.py`)."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from avtal.contracts.start_slots import slot_hour
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
    """The next slots in the hour of the instant, counted from 0. Locks the hour until the transaction ends."""
    connection = session.connection()
    parameters = {"account": account, "hour": slot_hour(due), "count": count}
    taken: int = connection.execute(_TAKE[connection.dialect.name], parameters).scalar_one()
    return range(taken - count, taken)
