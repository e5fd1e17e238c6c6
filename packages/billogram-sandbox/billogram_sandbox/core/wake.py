"""Sleeping until something happens or its time has come: how the background tasks wait."""

import asyncio
from contextlib import suppress


async def wait(event: asyncio.Event, seconds: float | None) -> None:
    """Returns when the event is set or the seconds are over; without seconds only the event ends it.

    Not by `wait_for`: in Python 3.11 it swallows a cancellation that comes together with the event.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
