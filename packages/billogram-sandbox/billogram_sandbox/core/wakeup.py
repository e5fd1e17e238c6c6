"""Waits of the background tasks for an event or a timeout."""

import asyncio
from contextlib import suppress


async def wait_for_event(event: asyncio.Event, seconds: float | None) -> None:
    """Returns when the event is set or the time is over, if there is one.

    `asyncio.wait_for` in Python 3.11 swallows a cancellation that arrives together with the event.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
