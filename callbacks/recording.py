"""The first half of the relay: a stored callback becomes facts of its bill.

The bill is found by the platform's id, or by ours that comes back as `custom`. A callback of a bill that is not there
yet is tried again for 24 hours, then listed; one that never was ours is ignored.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx
from pydantic import ValidationError
from sqlalchemy.orm import Session

from billogram.client import BillogramClient, Credentials
from billogram.errors import BillogramError, NotFound
from billogram.translate import callback_news, remote_invoice
from callbacks.boxes import patience
from callbacks.reading import must_read
from callbacks.relay import FAILED
from contracts.bill import BillStatus, bill_parts
from contracts.invoice import CallbackNews, RemoteInvoice
from observing.subject import about
from observing.tracing import span
from store.accounts import PlatformAccess, platform_access
from store.bills import bill_of_invoice, take_over
from store.cipher import Cipher
from store.database import Database
from store.facts import facts_of, record_facts
from store.inbox import DONE, IGNORED, UNMATCHED, StoredCallback, finish_callback, try_callback_later

log = logging.getLogger(__name__)


class Known(NamedTuple):
    """The bill that a callback tells of, as far as it matters to the recording; `access` if it must be read."""

    contract_id: str | None = None
    bill_id: str | None = None
    traceparent: str | None = None
    access: PlatformAccess | None = None


class Recording:
    """`wake` tells the second half that there is news to tell."""

    def __init__(self, database: Database, cipher: Cipher, http: httpx.AsyncClient, wake: Callable[[], None]) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self._wake = wake

    async def record(self, stored: StoredCallback) -> None:
        try:
            news = callback_news(stored.body)
        except ValidationError:
            await asyncio.to_thread(self._finish, stored, UNMATCHED, "its words are not those that we know")
            return
        if news is None:
            await asyncio.to_thread(self._finish, stored, IGNORED, "a kind that we do not use")
            return
        known = await asyncio.to_thread(self._look_up, stored, news)
        with (
            about(stored.account, known.contract_id, known.bill_id),
            span("callback received", known.traceparent, began_at=stored.kept_at),
            span("record callback"),
        ):
            await self._record_known(stored, news, known)

    async def _record_known(self, stored: StoredCallback, news: CallbackNews, known: Known) -> None:
        invoice = None
        if known.access is not None:
            try:
                invoice = await self._read(known.access, news.billogram_id)
            except BillogramError as error:
                await asyncio.to_thread(self._later, stored, error)
                return
        await asyncio.to_thread(self._record, stored, news, invoice)
        self._wake()

    async def _read(self, access: PlatformAccess, billogram_id: str) -> RemoteInvoice | None:
        platform = BillogramClient(self._http, Credentials(access.url, access.user, access.key))
        try:
            return remote_invoice(await platform.get(billogram_id))
        except NotFound:
            return None  # deleted meanwhile, which its own callback tells

    def _look_up(self, stored: StoredCallback, news: CallbackNews) -> Known:
        with self._database.read() as session:
            bill = bill_of_invoice(session, stored.account, news.billogram_id, news.custom)
            if bill is None:
                return Known()
            is_enough = not must_read(BillStatus(bill.status), facts_of(session, bill), news)
            access = None if is_enough else platform_access(session, self._cipher, stored.account)
            return Known(bill.contract_id, bill.bill_id, bill.traceparent, access)

    def _record(self, stored: StoredCallback, news: CallbackNews, invoice: RemoteInvoice | None) -> None:
        with self._database.write() as session:
            bill = bill_of_invoice(session, stored.account, news.billogram_id, news.custom)
            if bill is None:
                _unknown_bill(session, stored, news)
                return
            bill.billogram_id = news.billogram_id
            if invoice is not None:
                take_over(bill, invoice)
            record_facts(session, bill, (*news.facts, *(invoice.facts if invoice else ())))
            finish_callback(session, stored, DONE)
        log.info("callback %d recorded: bill %s is %s", stored.id, bill.bill_id, bill.status)

    def _finish(self, stored: StoredCallback, state: str, why: str) -> None:
        with self._database.write() as session:
            finish_callback(session, stored, state, why)
        if state == UNMATCHED:
            log.warning("callback %d is unmatched: %s", stored.id, why)

    def _later(self, stored: StoredCallback, error: BillogramError) -> None:
        with self._database.write() as session:
            _again(session, stored, str(error), type(error).__name__)


def _unknown_bill(session: Session, stored: StoredCallback, news: CallbackNews) -> None:
    if news.custom is None or bill_parts(news.custom) is None:
        finish_callback(session, stored, IGNORED, "an invoice that is not ours")
    elif time.time() >= stored.give_up_at:
        finish_callback(session, stored, UNMATCHED, f"no bill {news.custom}")
        log.warning("callback %d is unmatched: no bill %s in 24 hours", stored.id, news.custom)
    else:
        _again(session, stored, f"no bill {news.custom} yet", "no_bill")


def _again(session: Session, stored: StoredCallback, trouble: str, reason: str) -> None:
    try_callback_later(session, stored, time.time() + patience(stored.attempts), trouble)
    FAILED.labels("inbox", reason).inc()
    if stored.attempts % 10 == 0:
        log.warning("callback %d is recorded later: %s", stored.id, trouble)
