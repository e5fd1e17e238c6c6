"""Asks the platform about a bill that is made: once more before access goes off, and to take it back.

What it answers is recorded by the one door, and returned to the contract as the bill that it makes.
"""

import asyncio

from aiohttp import ClientSession
from sqlalchemy.orm import Session
from temporalio import activity

from activities.again import again_later
from activities.orders import AskPlatform
from billogram.client import BillogramClient, Credentials
from billogram.errors import BillogramError, NotFound
from billogram.translate import remote_invoice
from contracts.bill import BillRecord, BillStatus, Fact, FactType
from contracts.invoice import RemoteInvoice
from store import bills
from store.accounts import platform_access
from store.cipher import Cipher
from store.database import Database
from store.facts import record_facts
from store.schema import BillRow


class AskingActivities:
    """Both fail while the platform can't be asked; the contract comes again later."""

    def __init__(self, database: Database, cipher: Cipher, http: ClientSession) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http

    @activity.defn
    async def read_bill(self, order: AskPlatform) -> BillRecord:
        """The bill, as the platform knows it now (REC-1)."""
        billogram_id, platform = await asyncio.to_thread(self._platform, order)
        try:
            invoice = remote_invoice(await platform.get(billogram_id))
        except BillogramError as error:
            raise again_later(error) from None
        return await asyncio.to_thread(self._record, order, invoice)

    @activity.defn
    async def withdraw_bill(self, order: AskPlatform) -> BillRecord:
        """A draft is deleted, an invoice on which nothing was paid is credited, and the bill is void (EDGE-20). One on
        which money has come stays as it is, for a person."""
        billogram_id, platform = await asyncio.to_thread(self._platform, order)
        try:
            invoice = remote_invoice(await platform.get(billogram_id))
            if invoice.is_draft:
                await platform.delete(billogram_id)
                return await asyncio.to_thread(self._withdraw, order, None)
            if invoice.paid_minor == 0 and invoice.remaining_minor > 0:
                invoice = remote_invoice(await platform.credit(billogram_id))
        except NotFound:
            return await asyncio.to_thread(self._withdraw, order, None)
        except BillogramError as error:
            raise again_later(error) from None
        if invoice.paid_minor > 0:
            return await asyncio.to_thread(self._record, order, invoice)
        return await asyncio.to_thread(self._withdraw, order, invoice)

    def _platform(self, order: AskPlatform) -> tuple[str, BillogramClient]:
        with self._database.read() as session:
            bill = session.get_one(BillRow, (order.account, order.bill_id))
            access = platform_access(session, self._cipher, order.account)
        assert access is not None, "a bill has an account"
        assert bill.billogram_id is not None, "a bill that is made has an invoice"
        return bill.billogram_id, BillogramClient(self._http, Credentials(access.url, access.user, access.key))

    def _record(self, order: AskPlatform, invoice: RemoteInvoice) -> BillRecord:
        with self._database.write() as session:
            bill = _locked(session, order)
            bills.take_over(bill, invoice)
            record_facts(session, bill, invoice.facts, tell=False)
            return bills.record_of(bill)

    def _withdraw(self, order: AskPlatform, invoice: RemoteInvoice | None) -> BillRecord:
        fact = Fact(type=FactType.WITHDRAWN, at=order.now, source="contract", digest=f"withdrawn {order.bill_id}")
        with self._database.write() as session:
            bill = _locked(session, order)
            record_facts(session, bill, [*(invoice.facts if invoice else ()), fact], tell=False)
            if bill.status != BillStatus.VOID:
                bills.void_bill(session, bill)
            return bills.record_of(bill)


def _locked(session: Session, order: AskPlatform) -> BillRow:
    bill = bills.lock_bill(session, order.account, order.bill_id)
    assert bill is not None, "the contract knows it"
    return bill
