"""Work at the platform on a bill that was made: verify it before access goes off, or withdraw it.

The platform's response is appended to the bill's facts and returned to the contract as the bill's snapshot.
"""

import asyncio

import httpx
from sqlalchemy.orm import Session
from temporalio import activity

from activities.inputs import PlatformTaskInput
from activities.retryable import retryable
from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import BillogramError, NotFound
from avtal.billogram.translate import remote_invoice
from avtal.contracts.bills.bill import BillSnapshot, BillStatus, Fact, FactType
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.store.accounts.accounts import platform_credentials
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.bills import copy_platform_fields, void_bill
from avtal.store.billing.facts import append_facts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.tables import BillRow
from avtal.store.tables.snapshots import snapshot_of


class PlatformBillActivities:
    """Both activities fail while the platform does not respond; the contract retries them later."""

    def __init__(self, database: Database, cipher: Cipher, http: httpx.AsyncClient) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http

    @activity.defn
    async def verify_bill(self, request: PlatformTaskInput) -> BillSnapshot:
        """The bill as the platform has it now (REC-1)."""
        billogram_id, platform = await asyncio.to_thread(self._platform, request)
        try:
            invoice = remote_invoice(await platform.get(billogram_id))
        except BillogramError as error:
            raise retryable(error) from None
        return await asyncio.to_thread(self._append, request, invoice)

    @activity.defn
    async def withdraw_bill(self, request: PlatformTaskInput) -> BillSnapshot:
        """Deletes a draft, or credits an invoice on which nothing was paid; the bill is then void (EDGE-20). A bill on
        which money has arrived stays as it is, for a person."""
        billogram_id, platform = await asyncio.to_thread(self._platform, request)
        try:
            invoice = remote_invoice(await platform.get(billogram_id))
            if invoice.is_draft:
                await platform.delete(billogram_id)
                return await asyncio.to_thread(self._void, request, None)
            if invoice.paid_minor == 0 and invoice.remaining_minor > 0:
                invoice = remote_invoice(await platform.credit(billogram_id))
        except NotFound:
            return await asyncio.to_thread(self._void, request, None)
        except BillogramError as error:
            raise retryable(error) from None
        if invoice.paid_minor > 0:
            return await asyncio.to_thread(self._append, request, invoice)
        return await asyncio.to_thread(self._void, request, invoice)

    def _platform(self, request: PlatformTaskInput) -> tuple[str, BillogramClient]:
        with self._database.read() as session:
            bill = session.get_one(BillRow, (request.account, request.bill_id))
            credentials = platform_credentials(session, self._cipher, request.account)
        assert credentials is not None, "a bill has an account"
        assert bill.billogram_id is not None, "a bill that was made has an invoice"
        return bill.billogram_id, BillogramClient(self._http, credentials)

    def _append(self, request: PlatformTaskInput, invoice: RemoteInvoice) -> BillSnapshot:
        with self._database.write() as session:
            bill = _locked(session, request)
            copy_platform_fields(bill, invoice)
            append_facts(session, bill, invoice.facts, signal=False)
            return snapshot_of(bill)

    def _void(self, request: PlatformTaskInput, invoice: RemoteInvoice | None) -> BillSnapshot:
        """`invoice` is the credited one; None if there is none any more."""
        fact = Fact(type=FactType.WITHDRAWN, at=request.now, source="contract", digest=f"withdrawn {request.bill_id}")
        with self._database.write() as session:
            bill = _locked(session, request)
            append_facts(session, bill, [*(invoice.facts if invoice else ()), fact], signal=False)
            if bill.status != BillStatus.VOID:
                void_bill(session, bill)
            return snapshot_of(bill)


def _locked(session: Session, request: PlatformTaskInput) -> BillRow:
    bill = lock_bill(session, request.account, request.bill_id)
    assert bill is not None, "the contract knows it"
    return bill
