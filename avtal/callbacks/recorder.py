"""Records stored callbacks: each becomes facts of its bill.

The bill is found by the platform's id of its invoice, or by our id, which comes back as `custom`. A callback whose bill
does not exist yet is retried for 24 hours and then listed as unmatched; one of a foreign invoice is ignored.

Callbacks in flight at the same time share a transaction. A callback that does not carry enough is recorded after its
billogram has been read, and does not delay others.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import httpx
from pydantic import ValidationError
from sqlalchemy.orm import Session

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import BillogramError, NotFound
from avtal.billogram.translate import callback_facts, remote_invoice
from avtal.contracts.bills.bill import BillStatus, bill_parts
from avtal.contracts.bills.callback_reading import needs_reading
from avtal.contracts.bills.invoice import CallbackFacts, RemoteInvoice
from avtal.log_context import log_context
from avtal.store.accounts.accounts import platform_credentials
from avtal.store.billing.bill_locks import BillReference, lock_referenced_bills
from avtal.store.billing.bills import copy_platform_fields
from avtal.store.billing.facts import BillBatch
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import GroupCommit
from avtal.store.queues.inbox import DONE, IGNORED, NEW, UNMATCHED, StoredCallback, defer_callback, finish_callbacks
from avtal.store.queues.lease import BACKOFF_SECONDS_MAX, FAILED_ATTEMPTS, LOGGED_EVERY, backoff_seconds
from avtal.store.tables import BillRow
from avtal.tracing import span

log = logging.getLogger(__name__)

Invoices = Mapping[str, RemoteInvoice | None]
"""By the platform's id; None for one that was deleted."""


class RecordRequest(NamedTuple):
    """One callback to record. `invoices` is None until its billograms have been read."""

    callback: StoredCallback
    facts: Sequence[CallbackFacts] | None
    """None if the body does not parse."""
    invoices: Invoices | None = None

    @property
    def bill_references(self) -> list[BillReference]:
        """One for each bill that the callback is about, mostly one."""
        return [BillReference(self.callback.account, each.billogram_id, each.custom) for each in self.facts or ()]


class Outcome(NamedTuple):
    state: str
    reason: str = ""


class Recorded(NamedTuple):
    """Nothing has been written if `outcome` is None: the billograms must be read first."""

    outcome: Outcome | None
    version_rose: bool = False
    """Whether a contract may have a message in the outbox."""


READ_FIRST = Recorded(None)
UNREADABLE = Outcome(UNMATCHED, "the body has an unknown format")
NOT_USED = Outcome(IGNORED, "an event of no use to us")


class CallbackRecorder:
    """`wake` is called when the outbox has a new message."""

    def __init__(self, database: Database, cipher: Cipher, http: httpx.AsyncClient, wake: Callable[[], None]) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self._wake = wake
        self._writes = GroupCommit(database)

    async def record(self, callback: StoredCallback) -> None:
        request = RecordRequest(callback, _facts_of(callback))
        recorded = await self._writes.submit_batched(record_batch, request)
        if recorded is READ_FIRST:
            try:
                invoices = await self._read(request)
            except BillogramError as error:
                await asyncio.to_thread(self._defer, callback, error)
                return
            recorded = await self._writes.submit_batched(record_batch, request._replace(invoices=invoices))
        if recorded.version_rose:
            self._wake()

    async def _read(self, request: RecordRequest) -> Invoices:
        platform = await asyncio.to_thread(self._platform, request.callback.account)
        return {bill.billogram_id: await _read_invoice(platform, bill.billogram_id) for bill in request.bill_references}

    def _platform(self, account: str) -> BillogramClient:
        with self._database.read() as session:
            credentials = platform_credentials(session, self._cipher, account)
        assert credentials is not None, "an account with bills exists"
        return BillogramClient(self._http, credentials)

    def _defer(self, callback: StoredCallback, error: BillogramError) -> None:
        with self._database.write() as session:
            _retry_later(session, callback, str(error), type(error).__name__, error.retry_after_seconds or 0.0)


async def _read_invoice(platform: BillogramClient, billogram_id: str) -> RemoteInvoice | None:
    try:
        return remote_invoice(await platform.get(billogram_id))
    except NotFound:
        return None  # deleted meanwhile; a callback of its own reports that


def _facts_of(callback: StoredCallback) -> Sequence[CallbackFacts] | None:
    try:
        return callback_facts(callback.body)
    except ValidationError:
        return None


def record_batch(session: Session, requests: Sequence[RecordRequest]) -> Sequence[Recorded]:
    """Records all of them in this transaction. The number of reads does not depend on how many they are.

    A batch of several waits for no lock: raises OperationalError if another transaction has locked one of its bills.
    """
    references = [bill for request in requests for bill in request.bill_references]
    batch = BillBatch(session, lock_referenced_bills(session, references, nowait=len(requests) > 1))
    recorded = [_record(batch, request) for request in requests]
    batch.write()
    callbacks_by_outcome: dict[Outcome, list[StoredCallback]] = {}
    for request, (outcome, _) in zip(requests, recorded, strict=True):
        if outcome is not None:
            callbacks_by_outcome.setdefault(outcome, []).append(request.callback)
    for outcome, callbacks in callbacks_by_outcome.items():
        _finish_or_retry(session, callbacks, outcome)
    return recorded


def _record(batch: BillBatch, request: RecordRequest) -> Recorded:
    if request.facts is None:
        return Recorded(UNREADABLE)
    if not request.facts:
        return Recorded(NOT_USED)
    found = [*_found(batch, request)]
    if not found:
        return Recorded(_without_bill(request.callback, request.facts[0]))
    if request.invoices is None and any(_must_read(batch, bill, each) for each, bill in found):
        return READ_FIRST
    rises = [_append(batch, request, each, bill) for each, bill in found]
    return Recorded(Outcome(DONE), any(rises))


def _found(batch: BillBatch, request: RecordRequest) -> Iterator[tuple[CallbackFacts, BillRow]]:
    for each, reference in zip(request.facts or (), request.bill_references, strict=True):
        bill = batch.bill(reference)
        if bill is not None:
            yield each, bill


def _must_read(batch: BillBatch, bill: BillRow, facts: CallbackFacts) -> bool:
    return needs_reading(BillStatus(bill.status), batch.facts_of(bill), facts)


def _append(batch: BillBatch, request: RecordRequest, facts: CallbackFacts, bill: BillRow) -> bool:
    """Whether the bill's version rose."""
    invoice = (request.invoices or {}).get(facts.billogram_id)
    with _traced(request.callback, bill):
        bill.billogram_id = facts.billogram_id
        if invoice is not None:
            copy_platform_fields(bill, invoice)
        version_rose = batch.append_facts(bill, (*facts.facts, *(invoice.facts if invoice else ())))
        log.info("callback %d recorded: bill %s is %s", request.callback.id, bill.bill_id, bill.status)
    return version_rose


def _without_bill(callback: StoredCallback, facts: CallbackFacts) -> Outcome:
    if facts.custom is None or bill_parts(facts.custom) is None:
        return Outcome(IGNORED, "a foreign invoice")
    if time.time() >= callback.give_up_at:
        return Outcome(UNMATCHED, f"no bill {facts.custom}")
    return Outcome(NEW, f"no bill {facts.custom} yet")


def _finish_or_retry(session: Session, callbacks: Sequence[StoredCallback], outcome: Outcome) -> None:
    """A callback that stays new is retried."""
    if outcome.state == NEW:
        for callback in callbacks:
            with log_context(callback.account):
                _retry_later(session, callback, outcome.reason, "no_bill")
        return
    finish_callbacks(session, callbacks, outcome.state, outcome.reason or None)
    if outcome.state == UNMATCHED:
        for callback in callbacks:
            with log_context(callback.account):
                log.warning("callback %d is unmatched: %s", callback.id, outcome.reason)


@contextmanager
def _traced(callback: StoredCallback, bill: BillRow) -> Iterator[None]:
    """Logs and spans within name the bill; the bill's trace continues."""
    with (
        log_context(callback.account, bill.contract_id, bill.bill_id),
        span("callback received", bill.traceparent, started_at=callback.stored_at),
        span("record callback"),
    ):
        yield


def _retry_later(
    session: Session, callback: StoredCallback, last_error: str, reason: str, retry_after_seconds: float = 0.0
) -> None:
    wait = max(backoff_seconds(callback.attempts), min(retry_after_seconds, BACKOFF_SECONDS_MAX))
    defer_callback(session, callback, time.time() + wait, last_error)
    FAILED_ATTEMPTS.labels("inbox", reason).inc()
    if callback.attempts % LOGGED_EVERY == 0:
        log.warning("callback %d is retried later: %s", callback.id, last_error)
