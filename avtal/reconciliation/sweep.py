"""Sweeps the invoices that the platform lists, and records what callbacks missed.

    1  all drafts and open invoices                        payments, credits, reversals, dispatches, respites
    2  settled and ended ones with a recent invoice date   ends whose history is incomplete
    3  live bills whose invoice is on neither list         ends of older invoices, and deletions

Only a bill that its list entry contradicts (`contracts.bills.reconciliation`), or one of step 3, costs a request
of its own. A sweep may run beside callbacks and beside another sweep, because known facts are recognized.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta

import httpx
from prometheus_client import Counter

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import NotFound
from avtal.billogram.invoice_reads import Page, ended_invoices, open_invoices, read_invoice
from avtal.contracts.bills.bill import BillStatus
from avtal.contracts.bills.invoice import ListedInvoice, RemoteInvoice
from avtal.contracts.bills.reconciliation import KnownBill, disagrees, must_be_read, names_a_bill, owes_late_fees_alone
from avtal.reconciliation.findings import Finding, Kind, Report, kind_of
from avtal.store.accounts.accounts import AccountNotFound, platform_credentials
from avtal.store.billing.reconciliation import (
    MISSING_CONFIRMED_AFTER,
    Change,
    bill_under_key,
    bills_of_invoices,
    callback_counts,
    clear_missing,
    live_invoices,
    record_invoice,
    record_missing,
)
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database

ENDED_WINDOW = timedelta(days=60)
"""How far back the second list is read, by invoice date."""
READS_MAX = 8
FINDINGS = Counter("avtal_reconciled", "Findings of sweeps, by kind", ["kind"])


class Reconciler:
    def __init__(
        self, database: Database, cipher: Cipher, http: httpx.AsyncClient, clock: Clock, wake: Callable[[], None]
    ) -> None:
        """`wake` is called when the outbox may have new messages."""
        self._database = database
        self._cipher = cipher
        self._http = http
        self._clock = clock
        self._wake = wake

    async def sweep(self, account: str) -> Report:
        """Raises AccountNotFound, and BillogramError: what was found before the error stays recorded."""
        platform = await asyncio.to_thread(self._platform, account)
        sweep = Sweep(account, platform, self._database, self._clock)
        try:
            return await sweep.run()
        finally:
            self._wake()

    def _platform(self, account: str) -> BillogramClient:
        with self._database.read() as session:
            credentials = platform_credentials(session, self._cipher, account)
        if credentials is None:
            raise AccountNotFound(account)
        return BillogramClient(self._http, credentials)


class Sweep:
    """One sweep of one account."""

    def __init__(self, account: str, platform: BillogramClient, database: Database, clock: Clock) -> None:
        self._account = account
        self._platform = platform
        self._database = database
        self._clock = clock
        self._gate = asyncio.Semaphore(READS_MAX)
        self._seen: set[str] = set()
        self._pages = 0
        self._read = 0
        self._findings: list[Finding] = []

    async def run(self) -> Report:
        live = await asyncio.to_thread(self._live)
        since = (self._clock.now() - ENDED_WINDOW).date()
        await self._compare_pages(open_invoices(self._platform))
        await self._compare_pages(ended_invoices(self._platform, since))
        unlisted = [(bill_id, invoice) for invoice, bill_id in live.items() if invoice not in self._seen]
        await self._read_all(unlisted)
        return await asyncio.to_thread(self._report)

    async def _compare_pages(self, pages: AsyncIterator[Page]) -> None:
        async for page in pages:
            self._pages += 1
            new = [listed for listed in page if listed.billogram_id not in self._seen]
            self._seen.update(listed.billogram_id for listed in new)
            await self._read_all(await asyncio.to_thread(self._compare, new))

    def _compare(self, page: list[ListedInvoice]) -> list[tuple[str, str]]:
        """The bills whose invoices must be read, with the platform's ids of these."""
        with self._database.read() as session:
            bills = bills_of_invoices(session, self._account, [listed.billogram_id for listed in page])
        unread = []
        for listed in page:
            bill = bills.get(listed.billogram_id)
            if bill is None:
                self._check_foreign(listed)
            elif must_be_read(bill, listed):
                unread.append((bill.bill_id, listed.billogram_id))
            else:
                self._check_known(bill, listed)
        return unread

    def _check_known(self, bill: KnownBill, listed: ListedInvoice) -> None:
        if bill.missing_since is not None:
            with self._database.write() as session:
                clear_missing(session, self._account, bill.bill_id)
        if disagrees(bill, listed):
            self._find(Kind.UNEXPLAINED, bill.bill_id, listed.billogram_id)

    def _check_foreign(self, listed: ListedInvoice) -> None:
        """No bill has this invoice. It is foreign, is just being created, or is ours and unknown."""
        if not names_a_bill(listed.key):
            return
        with self._database.read() as session:
            bill = bill_under_key(session, self._account, listed.key or "")
            is_ours = bill is not None and bill.billogram_id == listed.billogram_id
            is_creating = bill is not None and bill.billogram_id is None and bill.status == BillStatus.CREATING
        if not (is_ours or is_creating):
            self._find(Kind.UNKNOWN, listed.key, listed.billogram_id)

    async def _read_all(self, bills: Iterable[tuple[str, str]]) -> None:
        """Raises the first error only when all are finished, so that everything readable is recorded."""
        reads = (self._read_and_record(bill_id, billogram_id) for bill_id, billogram_id in bills)
        for result in await asyncio.gather(*reads, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _read_and_record(self, bill_id: str, billogram_id: str) -> None:
        async with self._gate:
            self._read += 1
            try:
                invoice = await read_invoice(self._platform, billogram_id)
            except NotFound:
                await asyncio.to_thread(self._record_missing, bill_id, billogram_id)
            else:
                await asyncio.to_thread(self._record, bill_id, invoice)

    def _record(self, bill_id: str, invoice: RemoteInvoice) -> None:
        with self._database.write() as session:
            change = record_invoice(session, self._account, bill_id, invoice)
        if change is None:
            return
        self._find_change(change, invoice.billogram_id)
        if owes_late_fees_alone(change.bill, invoice):
            return
        if invoice.listed is not None and disagrees(change.bill, invoice.listed):
            self._find(Kind.UNEXPLAINED, bill_id, invoice.billogram_id)

    def _record_missing(self, bill_id: str, billogram_id: str) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            change = record_missing(session, self._account, bill_id, billogram_id, now)
        if change is None:
            return
        if change.bill.missing_since is None:
            self._find_change(change, billogram_id)
        else:
            is_certain = now - change.bill.missing_since >= MISSING_CONFIRMED_AFTER
            self._find(Kind.VANISHED if is_certain else Kind.NOT_FOUND, bill_id, billogram_id)

    def _find_change(self, change: Change, billogram_id: str) -> None:
        kind = kind_of(change)
        if kind is not None:
            self._find(kind, change.bill.bill_id, billogram_id)

    def _find(self, kind: Kind, bill_id: str | None, billogram_id: str) -> None:
        FINDINGS.labels(kind).inc()
        self._findings.append(Finding(kind=kind, bill_id=bill_id, billogram_id=billogram_id))

    def _live(self) -> dict[str, str]:
        with self._database.read() as session:
            return live_invoices(session, self._account)

    def _report(self) -> Report:
        with self._database.read() as session:
            callbacks = callback_counts(session, self._account)
        return Report(
            account=self._account,
            pages=self._pages,
            read=self._read,
            findings=tuple(sorted(self._findings, key=lambda finding: (finding.kind, finding.bill_id or ""))),
            callbacks=callbacks,
        )
