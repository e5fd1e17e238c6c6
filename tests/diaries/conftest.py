"""One stack per file of diaries: its clock is shared, so every diary has contracts of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from embedded.ports import any_ports
from embedded.stack import attend, running_stack
from tests.diaries.life import Life


@pytest.fixture(scope="module")
async def life(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Life]:
    data_dir = tmp_path_factory.mktemp("stack")
    async with running_stack(data_dir, any_ports(), headless=True) as stack:
        attending = asyncio.create_task(attend(stack))
        tools = Life(stack, request.config.getoption("--record-histories"))
        yield tools
        await tools.close()
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)
