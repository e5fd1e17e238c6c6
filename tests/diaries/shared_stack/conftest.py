"""Diaries that only sell, wait, and look share one stack per kind of database: its start costs more than most do."""

from collections.abc import AsyncIterator

import pytest

from tests.diaries.conftest import DATABASES, a_life
from tests.diaries.life import Life


@pytest.fixture(scope="session", params=DATABASES)
async def life(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Life]:
    async with a_life(tmp_path_factory.mktemp("stack"), request) as tools:
        yield tools
