"""Asking a running stack's clock to move on, from another process: the target is committed, then awaited."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from avtal.embedded.addresses import read_addresses
from avtal.store.engine.clock import TestClock
from avtal.store.opening import open_store

LOOK_SECONDS = 0.05


class ForwardFailed(RuntimeError):
    """The clock was not moved, or stopped on its way; the text says what to do."""


def forward(data_dir: Path, clock: TestClock, target: datetime, watch: Callable[[datetime], None]) -> datetime:
    """The stack's time once all is quiet there. `watch` is shown the time on the way. Raises ForwardFailed."""
    on_its_way = clock.target()
    if on_its_way is not None:
        raise ForwardFailed(f"the clock is on its way to {on_its_way:%Y-%m-%d %H:%M} UTC already; wait for it")
    if target <= clock.now():
        raise ForwardFailed(f"the clock only moves forward, and it is {clock.now():%Y-%m-%d %H:%M} UTC already")
    clock.aim(target)
    while clock.target() is not None:
        if read_addresses(data_dir) is None:
            raise ForwardFailed("the stack has stopped; start it again with avtal up, and it goes on to the target")
        watch(clock.now())
        time.sleep(LOOK_SECONDS)
    last_error = clock.last_error()
    if last_error is not None:
        raise ForwardFailed(f"the clock stopped at {clock.now():%Y-%m-%d %H:%M} UTC: {last_error}")
    return clock.now()


def stack_clock(data_dir: Path) -> TestClock:
    """The clock of the stack that runs on a directory. Raises ForwardFailed."""
    if read_addresses(data_dir) is None:
        raise ForwardFailed(f"no stack runs on {data_dir}; start it with: avtal up")
    return TestClock(open_store(f"sqlite:///{data_dir.resolve() / 'avtal.db'}", test_clock=True))
