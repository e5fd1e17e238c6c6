"""One stack for each file and kind of database. Its clock is shared, so every diary has contracts of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from avtal.embedded.ports import any_ports
from avtal.embedded.stack import running_stack, supervise
from tests.conftest import new_database
from tests.diaries.diary import Diary

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="module", params=DATABASES)
async def diary(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Diary]:
    async with running_diary(tmp_path_factory.mktemp("stack"), request) as diary:
        yield diary


@asynccontextmanager
async def running_diary(data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Diary]:
    url = new_database(request.getfixturevalue("postgresql")) if request.param == "postgresql" else None
    async with running_stack(data_dir, any_ports(), headless=True, store_url=url) as stack:
        supervision = asyncio.create_task(supervise(stack))
        diary = Diary(stack, record=request.config.getoption("--record-histories") and url is None)
        yield diary
        await diary.close()
        supervision.cancel()
        await asyncio.gather(supervision, return_exceptions=True)


@pytest.fixture(autouse=True)
async def end_contracts(diary: Diary) -> AsyncIterator[None]:
    """Ends every contract of a diary, so that the next one's clock does not move them too."""
    yield
    await diary.end_all_contracts()
