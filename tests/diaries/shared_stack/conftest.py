"""One stack for each kind of database, shared by all files of this folder: starting it takes longer than most tests."""

from collections.abc import AsyncIterator

import pytest

from tests.diaries.conftest import DATABASES, running_diary
from tests.diaries.diary import Diary


@pytest.fixture(scope="session", params=DATABASES)
async def diary(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Diary]:
    async with running_diary(tmp_path_factory.mktemp("stack"), request) as diary:
        yield diary
