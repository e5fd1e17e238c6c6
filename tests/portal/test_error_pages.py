"""Error pages say what happened, and nothing else."""

import httpx
import pytest
import sqlalchemy as sa

from avtal.store.engine.database import Database
from tests.portal.pages import text_of


async def test_page_says_that_the_store_does_not_respond(
    anna: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable() -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("unavailable"))

    monkeypatch.setattr(database, "read", unavailable)

    assert "The store does not respond" in text_of(await anna.get("/portal/"), 503)


async def test_internal_error_page_hides_the_error(
    anna: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise KeyError("the innermost secret")

    monkeypatch.setattr(database, "read", broken)
    page = await anna.get("/portal/")

    assert "Something went wrong" in text_of(page, 500)
    assert "secret" not in page.text
