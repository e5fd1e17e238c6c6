"""The sandbox, and accounts whose callbacks are lost."""

from collections.abc import Iterator

import pytest

from avtal.billogram import invoice_reads as readings
from avtal.contracts.policy import Mode
from avtal.store.accounts.accounts import PlatformCredentials, set_platform
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from billogram_sandbox_tests.client import KEY as PLATFORM_KEY
from billogram_sandbox_tests.client import USER
from tests.billogram.builders import Platform
from tests.billogram.conftest import http, platform, sandbox
from tests.reconciliation.swept_account import SweptAccount
from tests.store.builders import ACCOUNT, KEY, new_store

__all__ = ["http", "platform", "sandbox"]


@pytest.fixture
def account(store_url: str, platform: Platform) -> Iterator[SweptAccount]:
    database = new_store(store_url)
    use(database, platform)
    yield SweptAccount(database, platform)
    database.close()


@pytest.fixture
def draft_account(store_url: str, platform: Platform) -> Iterator[SweptAccount]:
    database = new_store(store_url, Mode.DRAFT)
    use(database, platform)
    yield SweptAccount(database, platform)
    database.close()


@pytest.fixture(autouse=True)
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "RETRY_AFTER_SECONDS", (0.0,) * 6)


def use(database: Database, platform: Platform) -> None:
    credentials = PlatformCredentials(url=f"{platform.url}/api/v2", user=USER, key=PLATFORM_KEY)
    with database.write() as session:
        set_platform(session, Cipher(KEY), ACCOUNT, credentials)
