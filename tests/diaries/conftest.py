"""One stack per file of diaries and kind of database: its clock is shared, so every diary has contracts of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from avtal.embedded.ports import any_ports
from avtal.embedded.stack import attend, running_stack
from tests.conftest import new_database
from tests.diaries.life import Life

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="module", params=DATABASES)
async def life(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Life]:
    async with a_life(tmp_path_factory.mktemp("stack"), request) as tools:
        yield tools


@asynccontextmanager
async def a_life(data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Life]:
    url = new_database(request.getfixturevalue("postgresql")) if request.param == "postgresql" else None
    async with running_stack(data_dir, any_ports(), headless=True, store_url=url) as stack:
        attending = asyncio.create_task(attend(stack))
        tools = Life(stack, record=request.config.getoption("--record-histories") and url is None)
        yield tools
        await tools.close()
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)


@pytest.fixture(autouse=True)
async def ended_after(life: Life) -> AsyncIterator[None]:
    """What a diary has told is over with it: the next one's clock need not move its contracts too."""
    yield
    await life.end_all()
