"""Reconciliation: a sweep over the platform's lists that records what callbacks missed, through the one door.

    1  every invoice that is a draft or open at the platform      payments, credits, recalls, dispatches, respites
    2  those that ended, if they were invoiced lately             ends whose history is not whole
    3  live bills of ours that neither list has shown             ends of older invoices, and deleted ones

Only bills that the list contradicts (`contracts.reconciliation`), and those of the third step, cost a request each. It
may run beside callbacks, and beside another sweep: facts that are known are known again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta

from aiohttp import ClientSession
from prometheus_client import Counter

from avtal.billogram.client import BillogramClient, Credentials
from avtal.billogram.errors import NotFound
from avtal.billogram.invoice_reads import Page, ended_invoices, open_invoices, read_invoice
from avtal.contracts.bills.bill import BillStatus
from avtal.contracts.bills.invoice import ListedInvoice, RemoteInvoice
from avtal.contracts.bills.reconciliation import KnownBill, disagrees, must_be_read, names_a_bill, owes_late_fees_alone
from avtal.reconciliation.findings import Finding, Kind, Report, kind_of
from avtal.store.accounts.accounts import AccountNotFound, platform_access
from avtal.store.billing.reconciliation import (
    VANISHED_AFTER,
    Change,
    bill_under_key,
    bills_of_invoices,
    callbacks_in_trouble,
    live_invoices,
    record_gone,
    record_reading,
    seen_again,
)
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database

ENDED_WINDOW = timedelta(days=60)
"""How far back by invoice date the second list is read."""
AT_ONCE_MAX = 8
FOUND = Counter("avtal_reconciled", "What sweeps found, by kind", ["kind"])


class Reconciler:
    """`wake` tells the relay that there may be news to tell."""

    def __init__(
        self, database: Database, cipher: Cipher, http: ClientSession, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self._clock = clock
        self._wake = wake

    async def sweep(self, account: str) -> Report:
        """Raises AccountNotFound; and BillogramError, after what was found until then has been recorded."""
        platform = await asyncio.to_thread(self._platform, account)
        sweep = Sweep(account, platform, self._database, self._clock)
        try:
            return await sweep.run()
        finally:
            self._wake()

    def _platform(self, account: str) -> BillogramClient:
        with self._database.read() as session:
            access = platform_access(session, self._cipher, account)
        if access is None:
            raise AccountNotFound(account)
        return BillogramClient(self._http, Credentials(access.url, access.user, access.key))


class Sweep:
    """One account, once."""

    def __init__(self, account: str, platform: BillogramClient, database: Database, clock: Clock) -> None:
        self._account = account
        self._platform = platform
        self._database = database
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE_MAX)
        self._seen: set[str] = set()
        self._pages = 0
        self._read = 0
        self._findings: list[Finding] = []

    async def run(self) -> Report:
        live = await asyncio.to_thread(self._live)
        since = (self._clock.now() - ENDED_WINDOW).date()
        await self._go_through(open_invoices(self._platform))
        await self._go_through(ended_invoices(self._platform, since))
        await _all(self._look_at(bill_id, invoice) for invoice, bill_id in live.items() if invoice not in self._seen)
        return await asyncio.to_thread(self._report)

    async def _go_through(self, pages: AsyncIterator[Page]) -> None:
        async for page in pages:
            self._pages += 1
            new = [shown for shown in page if shown.billogram_id not in self._seen]
            self._seen.update(shown.billogram_id for shown in new)
            contradicting = await asyncio.to_thread(self._compare, new)
            await _all(self._look_at(bill_id, billogram_id) for bill_id, billogram_id in contradicting)

    def _compare(self, page: list[ListedInvoice]) -> list[tuple[str, str]]:
        """The bills of this page that must be read, with the platform's ids of their invoices."""
        with self._database.read() as session:
            bills = bills_of_invoices(session, self._account, [shown.billogram_id for shown in page])
        contradicting = []
        for shown in page:
            bill = bills.get(shown.billogram_id)
            if bill is None:
                self._meet(shown)
            elif must_be_read(bill, shown):
                contradicting.append((bill.bill_id, shown.billogram_id))
            else:
                self._agree(bill, shown)
        return contradicting

    def _agree(self, bill: KnownBill, shown: ListedInvoice) -> None:
        """Nothing new is to be learned of it."""
        if bill.missing_since is not None:
            with self._database.write() as session:
                seen_again(session, self._account, bill.bill_id)
        if disagrees(bill, shown):
            self._find(Kind.UNEXPLAINED, bill.bill_id, shown.billogram_id)

    def _meet(self, shown: ListedInvoice) -> None:
        """No bill has this invoice: somebody else's, one that is just being made, or one that we should know."""
        if not names_a_bill(shown.key):
            return
        with self._database.read() as session:
            bill = bill_under_key(session, self._account, shown.key or "")
            is_ours = bill is not None and bill.billogram_id == shown.billogram_id
            is_being_made = bill is not None and bill.billogram_id is None and bill.status == BillStatus.CREATING
        if not (is_ours or is_being_made):
            self._find(Kind.UNKNOWN, shown.key, shown.billogram_id)

    async def _look_at(self, bill_id: str, billogram_id: str) -> None:
        """Reads one invoice, and records what it tells."""
        async with self._gate:
            self._read += 1
            try:
                invoice = await read_invoice(self._platform, billogram_id)
            except NotFound:
                await asyncio.to_thread(self._gone, bill_id, billogram_id)
            else:
                await asyncio.to_thread(self._record, bill_id, invoice)

    def _record(self, bill_id: str, invoice: RemoteInvoice) -> None:
        with self._database.write() as session:
            change = record_reading(session, self._account, bill_id, invoice)
        if change is None:
            return
        self._mended(change, invoice.billogram_id)
        if owes_late_fees_alone(change.bill, invoice):
            return
        if invoice.shown is not None and disagrees(change.bill, invoice.shown):
            self._find(Kind.UNEXPLAINED, bill_id, invoice.billogram_id)

    def _gone(self, bill_id: str, billogram_id: str) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            change = record_gone(session, self._account, bill_id, billogram_id, now)
        if change is None:
            return
        if change.bill.missing_since is None:
            self._mended(change, billogram_id)
        else:
            is_certain = now - change.bill.missing_since >= VANISHED_AFTER
            self._find(Kind.VANISHED if is_certain else Kind.NOT_FOUND, bill_id, billogram_id)

    def _mended(self, change: Change, billogram_id: str) -> None:
        kind = kind_of(change)
        if kind is not None:
            self._find(kind, change.bill.bill_id, billogram_id)

    def _find(self, kind: Kind, bill_id: str | None, billogram_id: str) -> None:
        FOUND.labels(kind).inc()
        self._findings.append(Finding(kind=kind, bill_id=bill_id, billogram_id=billogram_id))

    def _live(self) -> dict[str, str]:
        with self._database.read() as session:
            return live_invoices(session, self._account)

    def _report(self) -> Report:
        with self._database.read() as session:
            callbacks = callbacks_in_trouble(session, self._account)
        return Report(
            account=self._account,
            pages=self._pages,
            read=self._read,
            findings=tuple(sorted(self._findings, key=lambda one: (one.kind, one.bill_id or ""))),
            callbacks=callbacks,
        )


async def _all(work: Iterable[Awaitable[None]]) -> None:
    """All of them to their end, and only then the first error: what can be recorded is."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
