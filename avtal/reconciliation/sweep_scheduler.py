"""Reconciliation by itself: each account every so many hours, by one process at a time, in real time."""

import asyncio
import logging
import time
from contextlib import suppress

from avtal.billogram.errors import BillogramError
from avtal.reconciliation.findings import MENDED, Report
from avtal.reconciliation.sweep import Reconciler
from avtal.store.engine.database import Database
from avtal.store.queues.sweeps import LEASE_SECONDS, claim_sweep, finish_sweep, renew_sweep

LOOK_SECONDS = 30.0
TRY_AGAIN_SECONDS = 600.0

logger = logging.getLogger(__name__)


class SweepScheduler:
    def __init__(self, database: Database, reconciling: Reconciler, hours: float) -> None:
        self._database = database
        self._reconciling = reconciling
        self._every_seconds = hours * 3600

    async def run(self) -> None:
        """Until cancelled; a sweep that is under way then is taken up by another process when its lease has ended."""
        while True:
            try:
                is_quiet = not await self.sweep_next()
            except Exception:
                logger.exception("a sweep failed; it is begun again when its lease has ended")
                is_quiet = True
            if is_quiet:
                await asyncio.sleep(LOOK_SECONDS)

    async def sweep_next(self) -> bool:
        """Sweeps the account whose turn it is, if there is one that no other process sweeps."""
        account = await asyncio.to_thread(self._claim)
        if account is None:
            return False
        keeping = asyncio.create_task(self._keep(account))
        try:
            again_in = await self._sweep(account)
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
        await asyncio.to_thread(self._finish, account, time.time() + again_in)
        return True

    async def _sweep(self, account: str) -> float:
        """After how many seconds it is this account's turn again."""
        try:
            report = await self._reconciling.sweep(account)
        except BillogramError as error:
            logger.warning("reconciling %s stopped: Billogram could not be read (%s)", account, error)
            return min(TRY_AGAIN_SECONDS, self._every_seconds)
        _log(report)
        return self._every_seconds

    async def _keep(self, account: str) -> None:
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
    mended = sum(finding.kind in MENDED for finding in report.findings)
    left = len(report.findings) - mended
    log = logger.warning if left else logger.info
    log("reconciled %s: %d mended, %d for a person; avtal reconcile tells them", report.account, mended, left)
