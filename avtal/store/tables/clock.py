"""The embedded stack's clock."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from avtal.store.tables.columns import Table


class ClockRow(Table):
    """One row: the offset from real time that all processes of the embedded stack share."""

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    offset_seconds: Mapped[float]
    target: Mapped[datetime | None]
    """Where a forward is going; None if none is in progress."""
    last_error: Mapped[str | None] = mapped_column(default=None)
    """Why the last forward stopped before its target."""
