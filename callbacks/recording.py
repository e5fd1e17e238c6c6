"""The first half of the relay: a stored callback becomes facts of its bill.

The bill is found by the platform's id, or by ours that comes back as `custom`. A callback of a bill that is not there
yet is tried again for 24 hours, then listed; one that never was ours is ignored. What says enough is recorded together
with others in one transaction; only what does not is recorded by itself, after its billogram was read.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import httpx
from pydantic import ValidationError
from sqlalchemy.orm import Session

from billogram.client import BillogramClient, Credentials
from billogram.errors import BillogramError, NotFound
from billogram.translate import callback_news, remote_invoice
from callbacks.boxes import TRY_AGAIN_SECONDS_MAX, patience
from callbacks.reading import must_read
from callbacks.relay import FAILED
from contracts.bill import BillStatus, Fact, bill_parts
from contracts.invoice import CallbackNews, RemoteInvoice
from observing.subject import about
from observing.tracing import span
from store.accounts import PlatformAccess, platform_access
from store.bills import bill_of_invoice, take_over
from store.cipher import Cipher
from store.database import Database
from store.facts import add_facts, facts_of
from store.inbox import DONE, IGNORED, UNMATCHED, StoredCallback, finish_callback, try_callback_later
from store.schema import BillRow

NOT_USED = "a kind that we do not use"

log = logging.getLogger(__name__)

Invoices = dict[str, RemoteInvoice | None]


class Found(NamedTuple):
    news: CallbackNews
    bill: BillRow
    known: Sequence[Fact]


class Recording:
    """`wake` tells the second half that there is news to tell."""

    def __init__(self, database: Database, cipher: Cipher, http: httpx.AsyncClient, wake: Callable[[], None]) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self.wake = wake

    def record_together(self, session: Session, due: Sequence[StoredCallback]) -> Sequence[StoredCallback]:
        """What says enough, in the caller's transaction. Returned is the rest, and what comes behind it of a billogram.

        Who holds many bills waits for none: raises OperationalError if another transaction has one of them.
        """
        rest: list[StoredCallback] = []
        for stored in due:
            is_behind = any((one.account, one.subject) == (stored.account, stored.subject) for one in rest)
            with about(stored.account):
                if is_behind or not _record_now(session, stored):
                    rest.append(stored)
        return rest

    async def record(self, stored: StoredCallback) -> None:
        try:
            news = callback_news(stored.body)
        except ValidationError:
            await asyncio.to_thread(self._finish, stored, UNMATCHED, "its words are not those that we know")
            return
        if not news:
            await asyncio.to_thread(self._finish, stored, IGNORED, NOT_USED)
            return
        access = await asyncio.to_thread(self._record_if_enough, stored, news)
        if access is not None:
            try:
                invoices = {one.billogram_id: await self._read(access, one.billogram_id) for one in news}
            except BillogramError as error:
                await asyncio.to_thread(self._later, stored, error)
                return
            await asyncio.to_thread(self._record_with, stored, news, invoices)
        self.wake()

    async def _read(self, access: PlatformAccess, billogram_id: str) -> RemoteInvoice | None:
        platform = BillogramClient(self._http, Credentials(access.url, access.user, access.key))
        try:
            return remote_invoice(await platform.get(billogram_id))
        except NotFound:
            return None  # deleted meanwhile, which its own callback tells

    def _record_if_enough(self, stored: StoredCallback, news: Sequence[CallbackNews]) -> PlatformAccess | None:
        """If the callback does not say enough, nothing is recorded, and the answer is where more can be read."""
        with self._database.write() as session:
            found = _find(session, stored, news)
            if _must_read(found):
                return platform_access(session, self._cipher, stored.account)
            _record(session, stored, news, found, {})
            return None

    def _record_with(self, stored: StoredCallback, news: Sequence[CallbackNews], invoices: Invoices) -> None:
        with self._database.write() as session:
            _record(session, stored, news, _find(session, stored, news), invoices)

    def _finish(self, stored: StoredCallback, state: str, why: str) -> None:
        with self._database.write() as session:
            finish_callback(session, stored, state, why)
        if state == UNMATCHED:
            log.warning("callback %d is unmatched: %s", stored.id, why)

    def _later(self, stored: StoredCallback, error: BillogramError) -> None:
        with self._database.write() as session:
            _again(session, stored, str(error), type(error).__name__, error.again_after or 0.0)


def _record_now(session: Session, stored: StoredCallback) -> bool:
    """False if it must be recorded by itself; then nothing is changed."""
    try:
        news = callback_news(stored.body)
    except ValidationError:
        return False
    if not news:
        finish_callback(session, stored, IGNORED, NOT_USED)
        return True
    found = _find(session, stored, news, nowait=True)
    if _must_read(found):
        return False
    _record(session, stored, news, found, {})
    return True


def _must_read(found: Sequence[Found]) -> bool:
    return any(must_read(BillStatus(bill.status), known, one) for one, bill, known in found)


def _find(
    session: Session, stored: StoredCallback, news: Sequence[CallbackNews], *, nowait: bool = False
) -> list[Found]:
    """The bills that the callback tells of, locked, with their facts; most callbacks tell of one."""
    found = []
    for one in news:
        bill = bill_of_invoice(session, stored.account, one.billogram_id, one.custom, nowait=nowait)
        if bill is not None:
            found.append(Found(one, bill, facts_of(session, bill)))
    return found


def _record(
    session: Session, stored: StoredCallback, news: Sequence[CallbackNews], found: Sequence[Found], invoices: Invoices
) -> None:
    """All that one callback tells, in one transaction."""
    for one, bill, known in found:
        invoice = invoices.get(one.billogram_id)
        with _subject(stored, bill):
            bill.billogram_id = one.billogram_id
            if invoice is not None:
                take_over(bill, invoice)
            add_facts(session, bill, known, (*one.facts, *(invoice.facts if invoice else ())))
            log.info("callback %d recorded: bill %s is %s", stored.id, bill.bill_id, bill.status)
    if found:
        finish_callback(session, stored, DONE)
    else:
        _unknown_bill(session, stored, news[0])


@contextmanager
def _subject(stored: StoredCallback, bill: BillRow) -> Iterator[None]:
    """Whom the logs and the trace are about within; the bill's trace goes on."""
    with (
        about(stored.account, bill.contract_id, bill.bill_id),
        span("callback received", bill.traceparent, began_at=stored.kept_at),
        span("record callback"),
    ):
        yield


def _unknown_bill(session: Session, stored: StoredCallback, news: CallbackNews) -> None:
    if news.custom is None or bill_parts(news.custom) is None:
        finish_callback(session, stored, IGNORED, "an invoice that is not ours")
    elif time.time() >= stored.give_up_at:
        finish_callback(session, stored, UNMATCHED, f"no bill {news.custom}")
        log.warning("callback %d is unmatched: no bill %s in 24 hours", stored.id, news.custom)
    else:
        _again(session, stored, f"no bill {news.custom} yet", "no_bill")


def _again(session: Session, stored: StoredCallback, trouble: str, reason: str, wanted: float = 0.0) -> None:
    wait = max(patience(stored.attempts), min(wanted, TRY_AGAIN_SECONDS_MAX))
    try_callback_later(session, stored, time.time() + wait, trouble)
    FAILED.labels("inbox", reason).inc()
    if stored.attempts % 10 == 0:
        log.warning("callback %d is recorded later: %s", stored.id, trouble)
