"""The first half of the relay: a stored callback becomes facts of its bill.

The bill is found by the platform's id, or by ours that comes back as `custom`. A callback of a bill that is not there
yet is tried again for 24 hours, then listed; one that never was ours is ignored. What says enough is recorded together
with others in one transaction; only what does not is recorded by itself, after its billogram was read.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from aiohttp import ClientSession
from pydantic import ValidationError
from sqlalchemy.orm import Session

from avtal.billogram.client import BillogramClient, Credentials
from avtal.billogram.errors import BillogramError, NotFound
from avtal.billogram.translate import callback_facts, remote_invoice
from avtal.contracts.bills.bill import BillStatus, bill_parts
from avtal.contracts.bills.callback_reading import needs_reading
from avtal.contracts.bills.invoice import CallbackFacts, RemoteInvoice
from avtal.log_context import log_context
from avtal.relay.queues import TRY_AGAIN_SECONDS_MAX, backoff_seconds
from avtal.relay.relay import FAILED
from avtal.store.accounts.accounts import PlatformAccess, platform_access
from avtal.store.billing.bill_batch import BillBatch, Named, lock_named
from avtal.store.billing.bills import copy_platform_fields
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import DONE, IGNORED, NEW, UNMATCHED, StoredCallback, defer_callback, finish_callbacks
from avtal.store.tables import BillRow
from avtal.tracing import span

log = logging.getLogger(__name__)

Invoices = dict[str, RemoteInvoice | None]


class Outcome(NamedTuple):
    """What becomes of a callback, and why."""

    state: str
    why: str = ""


NOT_USED = Outcome(IGNORED, "a kind that we do not use")


class CallbackRecorder:
    """`wake` tells the second half that there is news to tell."""

    def __init__(self, database: Database, cipher: Cipher, http: ClientSession, wake: Callable[[], None]) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self._wake = wake
        self._has_news = False

    def record_batch(self, session: Session, due: Sequence[StoredCallback]) -> Sequence[StoredCallback]:
        """What says enough, in the caller's transaction. Returned is the rest, and what comes behind it of a billogram.

        Who holds many bills waits for none: raises OperationalError if another transaction has one of them.
        """
        told = {stored.id: _news(stored) for stored in due}
        named = [one for stored in due for one in _named(stored, told[stored.id] or ())]
        ledger = BillBatch(session, lock_named(session, named, nowait=True))
        rest: list[StoredCallback] = []
        over: dict[Outcome, list[StoredCallback]] = {}
        for stored in due:
            news, is_behind = told[stored.id], any(_are_of_one(stored, other) for other in rest)
            if is_behind or news is None or _must_read(ledger, stored, news):
                rest.append(stored)
            else:
                over.setdefault(_enter(ledger, stored, news, {}), []).append(stored)
        ledger.write()
        self._has_news |= ledger.has_news
        for outcome, callbacks in over.items():
            _end(session, callbacks, outcome)
        return rest

    async def record(self, stored: StoredCallback) -> None:
        news = _news(stored)
        if news is None:
            await asyncio.to_thread(self._refuse, stored)
            return
        access = await asyncio.to_thread(self._record_if_enough, stored, news)
        if access is not None:
            try:
                invoices = {one.billogram_id: await self._read(access, one.billogram_id) for one in news}
            except BillogramError as error:
                await asyncio.to_thread(self._later, stored, error)
                return
            await asyncio.to_thread(self._record_with, stored, news, invoices)
        self._wake()

    def committed(self) -> None:
        """Most callbacks only repeat what the bill's maker was answered; there is nothing to tell then."""
        if self._has_news:
            self._has_news = False
            self._wake()

    async def _read(self, access: PlatformAccess, billogram_id: str) -> RemoteInvoice | None:
        platform = BillogramClient(self._http, Credentials(access.url, access.user, access.key))
        try:
            return remote_invoice(await platform.get(billogram_id))
        except NotFound:
            return None  # deleted meanwhile, which its own callback tells

    def _record_if_enough(self, stored: StoredCallback, news: Sequence[CallbackFacts]) -> PlatformAccess | None:
        """If the callback does not say enough, nothing is recorded, and the answer is where more can be read."""
        with self._database.write() as session:
            ledger = BillBatch(session, lock_named(session, _named(stored, news)))
            if _must_read(ledger, stored, news):
                return platform_access(session, self._cipher, stored.account)
            _record(session, ledger, stored, news, {})
            return None

    def _record_with(self, stored: StoredCallback, news: Sequence[CallbackFacts], invoices: Invoices) -> None:
        with self._database.write() as session:
            ledger = BillBatch(session, lock_named(session, _named(stored, news)))
            _record(session, ledger, stored, news, invoices)

    def _refuse(self, stored: StoredCallback) -> None:
        with self._database.write() as session:
            _end(session, [stored], Outcome(UNMATCHED, "its words are not those that we know"))

    def _later(self, stored: StoredCallback, error: BillogramError) -> None:
        with self._database.write() as session:
            _again(session, stored, str(error), type(error).__name__, error.retry_after_seconds or 0.0)


def _news(stored: StoredCallback) -> Sequence[CallbackFacts] | None:
    """None if its words are not those that we know."""
    try:
        return callback_facts(stored.body)
    except ValidationError:
        return None


def _named(stored: StoredCallback, news: Iterable[CallbackFacts]) -> list[Named]:
    """The bills that the callback tells of; most callbacks tell of one."""
    return [Named(stored.account, one.billogram_id, one.custom) for one in news]


def _are_of_one(one: StoredCallback, other: StoredCallback) -> bool:
    return (one.account, one.group_key) == (other.account, other.group_key)


def _found(
    ledger: BillBatch, stored: StoredCallback, news: Sequence[CallbackFacts]
) -> Iterator[tuple[CallbackFacts, BillRow]]:
    for one, named in zip(news, _named(stored, news), strict=True):
        bill = ledger.bill(named)
        if bill is not None:
            yield one, bill


def _must_read(ledger: BillBatch, stored: StoredCallback, news: Sequence[CallbackFacts]) -> bool:
    found = _found(ledger, stored, news)
    return any(needs_reading(BillStatus(bill.status), ledger.facts_of(bill), one) for one, bill in found)


def _record(
    session: Session, ledger: BillBatch, stored: StoredCallback, news: Sequence[CallbackFacts], invoices: Invoices
) -> None:
    outcome = _enter(ledger, stored, news, invoices)
    ledger.write()
    _end(session, [stored], outcome)


def _enter(ledger: BillBatch, stored: StoredCallback, news: Sequence[CallbackFacts], invoices: Invoices) -> Outcome:
    """All that one callback tells."""
    if not news:
        return NOT_USED
    found = [*_found(ledger, stored, news)]
    for one, bill in found:
        invoice = invoices.get(one.billogram_id)
        with _subject(stored, bill):
            bill.billogram_id = one.billogram_id
            if invoice is not None:
                copy_platform_fields(bill, invoice)
            ledger.add(bill, (*one.facts, *(invoice.facts if invoice else ())))
            log.info("callback %d recorded: bill %s is %s", stored.id, bill.bill_id, bill.status)
    return Outcome(DONE) if found else _of_unknown_bill(stored, news[0])


def _of_unknown_bill(stored: StoredCallback, news: CallbackFacts) -> Outcome:
    if news.custom is None or bill_parts(news.custom) is None:
        return Outcome(IGNORED, "an invoice that is not ours")
    if time.time() >= stored.give_up_at:
        return Outcome(UNMATCHED, f"no bill {news.custom}")
    return Outcome(NEW, f"no bill {news.custom} yet")


def _end(session: Session, callbacks: Sequence[StoredCallback], outcome: Outcome) -> None:
    """One that stays new is tried again later."""
    if outcome.state == NEW:
        for stored in callbacks:
            with log_context(stored.account):
                _again(session, stored, outcome.why, "no_bill")
        return
    finish_callbacks(session, callbacks, outcome.state, outcome.why or None)
    if outcome.state == UNMATCHED:
        for stored in callbacks:
            with log_context(stored.account):
                log.warning("callback %d is unmatched: %s", stored.id, outcome.why)


@contextmanager
def _subject(stored: StoredCallback, bill: BillRow) -> Iterator[None]:
    """Whom the logs and the trace are about within; the bill's trace goes on."""
    with (
        log_context(stored.account, bill.contract_id, bill.bill_id),
        span("callback received", bill.traceparent, began_at=stored.kept_at),
        span("record callback"),
    ):
        yield


def _again(session: Session, stored: StoredCallback, last_error: str, reason: str, wanted: float = 0.0) -> None:
    wait = max(backoff_seconds(stored.attempts), min(wanted, TRY_AGAIN_SECONDS_MAX))
    defer_callback(session, stored, time.time() + wait, last_error)
    FAILED.labels("inbox", reason).inc()
    if stored.attempts % 10 == 0:
        log.warning("callback %d is recorded later: %s", stored.id, last_error)
