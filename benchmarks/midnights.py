"""Time zones of our own making, whose next local midnight is any instant that we like.

A renewal is due at a local midnight. In such a zone that comes a few seconds ahead in real time, so that contracts are
due together by their own plain timers, without the test clock.
"""

import os
import struct
import zoneinfo
from datetime import datetime
from pathlib import Path

from avtal.contracts.periods import _zones

DAY_SECONDS = 86_400
COUNTS = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
"""Of a TZif file without a single transition: one kind of local time, and four bytes for its name."""


class Midnights:
    """Makes zones, for this process and all that it starts after."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "zones"
        (self._folder / "Benchmark").mkdir(parents=True)
        zoneinfo.reset_tzpath([str(self._folder), *zoneinfo.TZPATH])
        os.environ["PYTHONTZPATH"] = os.pathsep.join(zoneinfo.TZPATH)

    def zone(self, midnight: datetime) -> str:
        """The name of a zone in which a day begins at this instant, which is a whole second."""
        seconds = int(midnight.timestamp())
        offset = -seconds % DAY_SECONDS
        if offset > DAY_SECONDS // 2:
            offset -= DAY_SECONDS
        name = f"Benchmark/{seconds}"
        local_time = struct.pack(">lBB", offset, 0, 0) + b"BEN\0"
        (self._folder / name).write_bytes(b"TZif" + b"\0" * 16 + COUNTS + local_time)
        _zones.cache_clear()  # a sale knows the zones that were there when it was first asked
        return name
