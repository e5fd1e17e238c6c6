"""Waiting for an event or a timeout."""

import asyncio

import pytest

from billogram_sandbox.core.wakeup import wait_for_event


@pytest.mark.parametrize("steps", range(4))
async def test_simultaneous_cancellation_is_not_lost(steps: int) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(_waits_for_ever(event))
    await asyncio.sleep(0)
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)


async def test_wait_ends_with_timeout_or_event() -> None:
    event = asyncio.Event()
    await wait_for_event(event, 0)
    event.set()
    await wait_for_event(event, None)


async def _waits_for_ever(event: asyncio.Event) -> None:
    """As the background tasks do."""
    while True:
        event.clear()
        await wait_for_event(event, 60)
