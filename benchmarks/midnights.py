"""Creates time zones whose next local midnight is a chosen instant.

A renewal is due at a local midnight. In such a zone that is a few seconds ahead in real time, so contracts fall due
together by their own timers, without the test clock.
"""

import os
import struct
import zoneinfo
from datetime import datetime
from pathlib import Path

from avtal.contracts.periods import _zones

DAY_SECONDS = 86_400
COUNTS = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
"""The counts of a TZif file without transitions: one local time type, and four bytes for its name."""


class Midnights:
    """Creates zones for this process and for those that it starts afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "zones"
        (self._folder / "Benchmark").mkdir(parents=True)
        zoneinfo.reset_tzpath([str(self._folder), *zoneinfo.TZPATH])
        os.environ["PYTHONTZPATH"] = os.pathsep.join(zoneinfo.TZPATH)

    def zone(self, midnight: datetime) -> str:
        """The name of a zone in which a day starts at this instant, a whole second."""
        seconds = int(midnight.timestamp())
        offset = -seconds % DAY_SECONDS
        if offset > DAY_SECONDS // 2:
            offset -= DAY_SECONDS
        name = f"Benchmark/{seconds}"
        local_time = struct.pack(">lBB", offset, 0, 0) + b"BEN\0"
        (self._folder / name).write_bytes(b"TZif" + b"\0" * 16 + COUNTS + local_time)
        _zones.cache_clear()  # a sale accepts only the zones that were listed at the first one
        return name
