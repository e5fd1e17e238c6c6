"""The embedded stack's clock."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Table


class ClockRow(Table):
    """The embedded stack's one clock: how far it runs ahead of real time, and where it has been told to go."""

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    offset_seconds: Mapped[float]
    target: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(default=None)
