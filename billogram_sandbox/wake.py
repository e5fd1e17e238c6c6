"""Sleeping until something happens or its time has come: how the background tasks wait."""

import asyncio


async def wait(event: asyncio.Event, seconds: float | None) -> None:
    """Returns when the event is set or the seconds are over; without seconds only the event ends it."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
