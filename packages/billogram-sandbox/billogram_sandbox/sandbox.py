"""The settings of one sandbox, and the parts that share its database."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from billogram_sandbox.core.auth import Credentials
from billogram_sandbox.core.clock import Clock
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.faults import FaultInjector, Faults
from billogram_sandbox.core.stats import Stats

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Settings:
    """Retry delays are real seconds after a failed attempt; the last one repeats until `retry_seconds_max`."""

    data: Path | str
    user: str | None = None
    key: str | None = None
    retry_delays_seconds: tuple[float, ...] = (1, 5, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
    retry_seconds_max: float = 24 * HOUR
    callback_timeout_seconds: float = 10
    callback_concurrency_max: int = 8


class Sandbox:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.data)
        self.clock = Clock(self.database)
        self.credentials = Credentials.of(self.database, settings.user, settings.key)
        self.fault_injector = FaultInjector(Faults())
        self.stats = Stats()
        self.callback_queued = asyncio.Event()
        self.callbacks_before_response: list[int] = []
        """Callbacks of this transaction that a fault sends before the response."""
        self.attempt_waiters: dict[int, asyncio.Event] = {}
        """Set after the first attempt of a callback, by its number."""
        self.schedule_changed = asyncio.Event()
