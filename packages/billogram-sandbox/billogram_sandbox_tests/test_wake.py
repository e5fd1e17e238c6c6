"""How the background tasks wait."""

import asyncio

import pytest

from billogram_sandbox.core.wake import wait


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancellation_that_comes_together_with_the_event_is_not_lost(turns: int) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(_waits_for_ever(event))
    await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)


async def test_it_ends_with_its_time_or_with_the_event() -> None:
    event = asyncio.Event()
    await wait(event, 0)
    event.set()
    await wait(event, None)


async def _waits_for_ever(event: asyncio.Event) -> None:
    """As the background tasks do."""
    while True:
        event.clear()
        await wait(event, 60)
