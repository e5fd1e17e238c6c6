"""Opens the store: a database whose write transactions append the events of their changes."""

from functools import partial

from avtal.store.engine.database import Database
from avtal.store.feed.events import write_events


def open_store(url: str, *, test_clock: bool = False) -> Database:
    """With `test_clock`, events are dated by the embedded stack's clock; without it, by real time."""
    return Database(url, before_commit=partial(write_events, test_clock=test_clock))
