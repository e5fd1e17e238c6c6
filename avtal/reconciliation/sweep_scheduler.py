"""Sweeps each account automatically, every so many hours of real time, in one process at a time."""

import asyncio
import logging
import time
from contextlib import suppress

from avtal.billogram.errors import BillogramError
from avtal.reconciliation.findings import FIXED, Report
from avtal.reconciliation.sweep import Reconciler
from avtal.store.engine.database import Database
from avtal.store.queues.sweeps import LEASE_SECONDS, claim_sweep, finish_sweep, renew_sweep

POLL_SECONDS = 30.0
RETRY_SECONDS = 600.0

logger = logging.getLogger(__name__)


class SweepScheduler:
    def __init__(self, database: Database, reconciler: Reconciler, hours: float) -> None:
        self._database = database
        self._reconciler = reconciler
        self._every_seconds = hours * 3600

    async def run(self) -> None:
        """Until cancelled. Another process repeats a sweep that is in flight then, once its lease ends."""
        while True:
            try:
                is_quiet = not await self.sweep_next()
            except Exception:
                logger.exception("a sweep failed; it is repeated when its lease ends")
                is_quiet = True
            if is_quiet:
                await asyncio.sleep(POLL_SECONDS)

    async def sweep_next(self) -> bool:
        """Sweeps one account that is due, and that no other process sweeps. False if there is none."""
        account = await asyncio.to_thread(self._claim)
        if account is None:
            return False
        renewal = asyncio.create_task(self._keep_lease(account))
        try:
            wait = await self._sweep(account)
        finally:
            renewal.cancel()
            with suppress(asyncio.CancelledError):
                await renewal
        await asyncio.to_thread(self._finish, account, time.time() + wait)
        return True

    async def _sweep(self, account: str) -> float:
        """Returns the seconds until the account is due again."""
        try:
            report = await self._reconciler.sweep(account)
        except BillogramError as error:
            logger.warning("reconciliation of %s stopped: Billogram could not be read (%s)", account, error)
            return min(RETRY_SECONDS, self._every_seconds)
        _log(report)
        return self._every_seconds

    async def _keep_lease(self, account: str) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            await asyncio.to_thread(self._renew, account)

    def _claim(self) -> str | None:
        with self._database.write() as session:
            return claim_sweep(session, time.time())

    def _renew(self, account: str) -> None:
        with self._database.write() as session:
            renew_sweep(session, account, time.time())

    def _finish(self, account: str, due_at: float) -> None:
        with self._database.write() as session:
            finish_sweep(session, account, due_at)


def _log(report: Report) -> None:
    fixed = sum(finding.kind in FIXED for finding in report.findings)
    manual = len(report.findings) - fixed
    log = logger.warning if manual else logger.info
    log("reconciled %s: %d fixed, %d to resolve manually; avtal reconcile lists them", report.account, fixed, manual)
