"""The first half of the relay: a stored callback becomes facts of its bill.

The bill is found by the platform's id, or by ours that comes back as `custom`. A callback of a bill that is not there
yet is tried again for 24 hours, then listed; one that never was ours is ignored.
"""

import asyncio
import time
from collections.abc import Callable

import httpx
from pydantic import ValidationError
from sqlalchemy.orm import Session

from billogram.client import BillogramClient, Credentials
from billogram.errors import BillogramError, NotFound
from billogram.translate import callback_news, remote_invoice
from callbacks.reading import must_read
from contracts.bill import BillStatus, bill_parts
from contracts.invoice import CallbackNews, RemoteInvoice
from store.accounts import PlatformAccess, platform_access
from store.bills import bill_of_invoice, take_over
from store.cipher import Cipher
from store.database import Database
from store.facts import add_facts, facts_of, record_facts
from store.inbox import DONE, IGNORED, UNMATCHED, StoredCallback, finish_callback, try_callback_later

TRY_AGAIN_SECONDS_MAX = 300.0


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
        access = await asyncio.to_thread(self._record_alone, stored, news)
        if access is not None:
            try:
                invoice = await self._read(access, news.billogram_id)
            except BillogramError as error:
                await asyncio.to_thread(self._later, stored, str(error))
                return
            await asyncio.to_thread(self._record_with, stored, news, invoice)
        self._wake()

    async def _read(self, access: PlatformAccess, billogram_id: str) -> RemoteInvoice | None:
        platform = BillogramClient(self._http, Credentials(access.url, access.user, access.key))
        try:
            return remote_invoice(await platform.get(billogram_id))
        except NotFound:
            return None  # deleted meanwhile, which its own callback tells

    def _record_alone(self, stored: StoredCallback, news: CallbackNews) -> PlatformAccess | None:
        """If the callback is not enough, nothing is recorded, and the answer is where the billogram can be read."""
        with self._database.write() as session:
            bill = bill_of_invoice(session, stored.account, news.billogram_id, news.custom)
            if bill is None:
                _unknown_bill(session, stored, news)
                return None
            known = facts_of(session, bill)
            if must_read(BillStatus(bill.status), known, news):
                return platform_access(session, self._cipher, stored.account)
            bill.billogram_id = news.billogram_id
            add_facts(session, bill, known, news.facts)
            finish_callback(session, stored, DONE)
            return None

    def _record_with(self, stored: StoredCallback, news: CallbackNews, invoice: RemoteInvoice | None) -> None:
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

    def _finish(self, stored: StoredCallback, state: str, why: str) -> None:
        with self._database.write() as session:
            finish_callback(session, stored, state, why)

    def _later(self, stored: StoredCallback, trouble: str) -> None:
        with self._database.write() as session:
            _again(session, stored, trouble)


def _unknown_bill(session: Session, stored: StoredCallback, news: CallbackNews) -> None:
    if news.custom is None or bill_parts(news.custom) is None:
        finish_callback(session, stored, IGNORED, "an invoice that is not ours")
    elif time.time() >= stored.give_up_at:
        finish_callback(session, stored, UNMATCHED, f"no bill {news.custom}")
    else:
        _again(session, stored, f"no bill {news.custom} yet")


def _again(session: Session, stored: StoredCallback, trouble: str) -> None:
    wait = min(2.0 ** min(stored.attempts, 20), TRY_AGAIN_SECONDS_MAX)
    try_callback_later(session, stored, time.time() + wait, trouble)
