"""Turns of renewals that fall due together, so that an account's thousand at midnight leave room for everybody's one.

Each renewal gets its place in the account's hour when the bill before it is made. What is made in three seconds
begins at once; the others wait as long as those before them take.
"""

from datetime import datetime

PER_SECOND = 10.0
AT_ONCE_SECONDS = 3
WAIT_SECONDS_MAX = 3 * 3600
"""A day's widest work window and the longest wait end within the day, in any zone; then turns are given out anew."""


def hour_of(due: datetime) -> datetime:
    """Renewals of one hour share a queue."""
    return due.replace(minute=0, second=0, microsecond=0)


def start_slot_seconds(place: int, per_second: float) -> int:
    """How long after its due instant the renewal with this place, counted from 0, begins (TMP-12)."""
    return max(0, int(place / per_second) + 1 - AT_ONCE_SECONDS) % WAIT_SECONDS_MAX
