"""Moves a running stack's clock from another process: commits the target, then waits for it."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from avtal.embedded.addresses import read_addresses
from avtal.store.engine.clock import TestClock
from avtal.store.opening import open_store

POLL_SECONDS = 0.02


class ForwardFailed(RuntimeError):
    """The clock was not moved, or stopped before the target; the text says what to do."""


def forward(
    data_dir: Path, clock: TestClock, target: datetime, on_progress: Callable[[datetime], None] = lambda _now: None
) -> datetime:
    """Returns the stack's time once everything due has been done. Raises ForwardFailed."""
    current_target = clock.target()
    if current_target is not None:
        raise ForwardFailed(f"the clock is already moving to {current_target:%Y-%m-%d %H:%M} UTC; wait for it")
    if target <= clock.now():
        raise ForwardFailed(f"the clock only moves forward, and it is already {clock.now():%Y-%m-%d %H:%M} UTC")
    clock.set_target(target)
    while clock.target() is not None:
        if read_addresses(data_dir) is None:
            raise ForwardFailed("the stack has stopped; restart it with `avtal up`, and it continues to the target")
        on_progress(clock.now())
        time.sleep(POLL_SECONDS)
    last_error = clock.last_error()
    if last_error is not None:
        raise ForwardFailed(f"the clock stopped at {clock.now():%Y-%m-%d %H:%M} UTC: {last_error}")
    return clock.now()


def stack_clock(data_dir: Path) -> TestClock:
    """The clock of the stack that runs on a directory. Raises ForwardFailed."""
    if read_addresses(data_dir) is None:
        raise ForwardFailed(f"no stack runs on {data_dir}; start it with `avtal up`")
    return TestClock(open_store(f"sqlite:///{data_dir.resolve() / 'avtal.db'}", test_clock=True))
