"""Automatic sweeps: which account is due, and that one process at a time sweeps it."""

import time
from pathlib import Path

import httpx

from avtal.billogram.errors import PlatformUnavailable
from avtal.config import Settings
from avtal.contracts.policy import Policy
from avtal.reconciliation.findings import Report
from avtal.reconciliation.sweep import Reconciler
from avtal.reconciliation.sweep_scheduler import RETRY_SECONDS, SweepScheduler
from avtal.store.accounts.accounts import PlatformCredentials, create_account
from avtal.store.billing.reconciliation import CallbackCounts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.queues.sweeps import LEASE_SECONDS, claim_sweep, finish_sweep, renew_sweep
from avtal.store.tables import SweepRow
from avtal.telemetry import Telemetry
from avtal.web import create_app
from billogram_sandbox_tests.client import eventually
from tests.store.builders import ACCOUNT, KEY, NOW, new_store

HOUR = 3600.0


def claimed(database: Database, now: float) -> str | None:
    with database.write() as session:
        return claim_sweep(session, now)


class EmptyReconciler(Reconciler):
    """Finds nothing, or fails."""

    def __init__(self, database: Database, http: httpx.AsyncClient, *, is_down: bool = False) -> None:
        super().__init__(database, Cipher(KEY), http, Clock(), lambda: None)
        self.accounts: list[str] = []
        self.is_down = is_down

    async def sweep(self, account: str) -> Report:
        self.accounts.append(account)
        if self.is_down:
            raise PlatformUnavailable("HTTP_503")
        return Report(account=account, pages=2, read=0, findings=(), callbacks=CallbackCounts(unmatched=0, failing=0))


def due_in(database: Database) -> float:
    with database.read() as session:
        return session.get_one(SweepRow, ACCOUNT).next_attempt_at - time.time()


def test_one_process_at_a_time_sweeps_an_account(database: Database) -> None:
    first, beside = claimed(database, 1000.0), claimed(database, 1000.0)
    with database.write() as session:
        renew_sweep(session, ACCOUNT, 1060.0)
    still_held = claimed(database, 1000.0 + LEASE_SECONDS)

    assert (first, beside, still_held) == (ACCOUNT, None, None)
    assert claimed(database, 1060.0 + LEASE_SECONDS) == ACCOUNT


def test_the_account_that_has_waited_longest_is_swept_first(database: Database) -> None:
    platform = PlatformCredentials(url="http://127.0.0.1:1", user="user", key="key")
    with database.write() as session:
        create_account(session, Cipher(KEY), "another", platform, Policy(), NOW, 1)
    accounts = [claimed(database, 1000.0) for _ in range(3)]
    with database.write() as session:
        finish_sweep(session, ACCOUNT, 1000.0 + HOUR)
        finish_sweep(session, "another", 1001.0 + HOUR)

    assert accounts == ["another", ACCOUNT, None]
    assert claimed(database, 1000.0 + HOUR - 1) is None
    assert claimed(database, 1002.0 + HOUR) == ACCOUNT


async def test_a_swept_account_is_due_again_after_so_many_hours(database: Database, http: httpx.AsyncClient) -> None:
    reconciler = EmptyReconciler(database, http)
    scheduler = SweepScheduler(database, reconciler, 6)
    swept = [await scheduler.sweep_next() for _ in range(2)]

    assert (swept, reconciler.accounts) == ([True, False], [ACCOUNT])
    assert 6 * HOUR - 60 < due_in(database) <= 6 * HOUR


async def test_a_failed_sweep_is_retried_soon(database: Database, http: httpx.AsyncClient) -> None:
    await SweepScheduler(database, EmptyReconciler(database, http, is_down=True), 6).sweep_next()

    assert 0 < due_in(database) <= RETRY_SECONDS


async def test_a_web_process_sweeps_automatically(tmp_path: Path) -> None:
    """The account's platform refuses connections, so the sweep is still in flight."""
    database = new_store(f"sqlite:///{tmp_path / 'web.db'}")

    async def is_claimed() -> bool:
        with database.read() as session:
            row = session.get(SweepRow, ACCOUNT)
            return row is not None and row.leased_until > time.time()

    app = create_app(Settings(database_url=database.url, secret_key=KEY, reconcile_hours=6), Telemetry(0, ()))
    async with app.router.lifespan_context(app):
        await eventually(is_claimed)
    database.close()
