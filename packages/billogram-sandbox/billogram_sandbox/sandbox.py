"""One sandbox: its settings and the parts that share its database. What it does lives with each noun."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from billogram_sandbox.core.auth import Credentials
from billogram_sandbox.core.clock import Clock
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.faults import Faults, Misbehaviour
from billogram_sandbox.core.stats import Stats

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Settings:
    """The retry delays are real seconds after each failed attempt; the last one repeats until the time is up."""

    data: Path | str
    user: str | None = None
    key: str | None = None
    retry_delays: tuple[float, ...] = (1, 5, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
    retry_for: float = 24 * HOUR
    callback_timeout: float = 10
    callbacks_at_once: int = 8


class Sandbox:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.data)
        self.clock = Clock(self.database)
        self.credentials = Credentials.of(self.database, settings.user, settings.key)
        self.misbehaviour = Misbehaviour(Faults())
        self.stats = Stats()
        self.callback_queued = asyncio.Event()
        self.told_first: list[int] = []
        """The callbacks of this transaction that shall be there before its request is answered."""
        self.awaited: dict[int, asyncio.Event] = {}
        """Set once the callback was tried."""
        self.timeline_changed = asyncio.Event()
