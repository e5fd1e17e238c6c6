"""Start slots spread an account's renewals that fall due together, so that a thousand at midnight delay no others.

A renewal gets a slot in its account's hour when the bill before it is made. As many renewals as are made in three
seconds start at once; each later one starts when the ones before it have been made.
"""

from datetime import datetime

RENEWALS_PER_SECOND = 10.0
UNDELAYED_SECONDS = 3
DELAY_SECONDS_MAX = 3 * 3600
"""A day's widest work window and the longest delay end within the day, in any zone; later slots start over at zero."""


def slot_hour(due: datetime) -> datetime:
    """Renewals of one hour share one sequence of slots."""
    return due.replace(minute=0, second=0, microsecond=0)


def start_slot_seconds(slot: int, per_second: float) -> int:
    """How long after its due instant the renewal with this slot, counted from 0, starts (TMP-12)."""
    return max(0, int(slot / per_second) + 1 - UNDELAYED_SECONDS) % DELAY_SECONDS_MAX
