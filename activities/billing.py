"""Makes a bill's invoice at the platform, exactly once, and remembers what came of it.

First the bill is stored as `creating`, then the platform is asked, then the answer is stored. Whatever dies in
between, the next attempt finds what the one before left. A refusal of the data parks the bill; a platform that does
not answer fails the attempt, and the contract comes again later.
"""

import logging
from collections.abc import Sequence

from aiohttp import ClientSession
from prometheus_client import Counter
from sqlalchemy.orm import Session
from temporalio import activity

from activities.inputs import MakeBillInput, VoidBillInput
from activities.retryable import retryable
from avtal.billogram.client import BillogramClient, Credentials
from avtal.billogram.customers import put_customer
from avtal.billogram.errors import BillogramError, DataRefused
from avtal.billogram.invoices import DuplicateRemote, KeyTaken, RemoteGone, make_invoice
from avtal.contracts.bills.bill import BillSnapshot, Parked, ParkedReason, bill_id
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice
from avtal.contracts.frozen import Frozen
from avtal.contracts.start_slots import PER_SECOND
from avtal.log_context import log_context
from avtal.store.accounts.accounts import PlatformAccess, platform_access
from avtal.store.billing import bills
from avtal.store.billing.bill_creation import BillRequest, begin_bills
from avtal.store.billing.bills import MadeInvoice
from avtal.store.billing.subscribers import Customer, customer_of, customer_written, renumber_customer
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import GroupCommit
from avtal.store.tables import BillRow, ContractRow
from avtal.tracing import traceparent

PARKS = {
    KeyTaken: ParkedReason.KEY_TAKEN,
    DuplicateRemote: ParkedReason.DUPLICATE_REMOTE,
    RemoteGone: ParkedReason.REMOTE_DELETED,
}


BILLS = Counter("avtal_bills", "Attempts at making a bill, by what became of them and why", ["outcome", "reason"])

log = logging.getLogger(__name__)


class Plan(Frozen):
    """What is to be asked of the platform for one bill."""

    account: str
    bill_id: str
    order: InvoiceRequest
    customer: Customer
    access: PlatformAccess
    known_id: str | None
    tried_before: bool


class BillingActivities:
    def __init__(
        self, database: Database, cipher: Cipher, http: ClientSession, renewals_per_second: float = PER_SECOND
    ) -> None:
        self._writes = GroupCommit(database)
        self._cipher = cipher
        self._http = http
        self._renewals_per_second = renewals_per_second

    @activity.defn
    async def make_bill(self, order: MakeBillInput) -> BillSnapshot:
        """The bill as it stands once its invoice is made, or parked. Fails while the platform can't be asked."""
        with log_context(
            order.account, order.contract_id, bill_id(order.contract_id, order.period.number, order.revision)
        ):
            return _noted(await self._make(order))

    async def _make(self, order: MakeBillInput) -> BillSnapshot:
        begun = await self._writes.submit_batched(self._begin, _ordered(order))
        if isinstance(begun, BillSnapshot):
            return begun
        try:
            number, invoice = await self._ask(begun)
        except tuple(PARKS) as stopped:
            return await self._park(begun, Parked(reason=PARKS[type(stopped)]), "")
        except DataRefused as refused:
            parked = Parked(reason=ParkedReason.REFUSED, field=refused.field)
            return await self._park(begun, parked, refused.provider_message)
        except BillogramError as error:
            await self._note_trouble(begun, error)
            BILLS.labels("failed", type(error).__name__).inc()
            log.warning("bill %s failed, and is tried again: %s", begun.bill_id, error)
            raise retryable(error) from None
        return await self._writes.submit_batched(_finish, MadeInvoice(begun.account, begun.bill_id, invoice, number))

    @activity.defn
    async def void_bill(self, order: VoidBillInput) -> None:
        with log_context(order.account, bill_id=order.bill_id):
            await self._writes.submit(lambda session: _void(session, order))
        log.info("bill %s is void", order.bill_id)

    async def _ask(self, plan: Plan) -> tuple[int, RemoteInvoice]:
        access = plan.access
        platform = BillogramClient(self._http, Credentials(access.url, access.user, access.key))
        number = await self._put_customer(platform, plan)
        order = plan.order.model_copy(update={"customer_no": number})
        return number, await make_invoice(platform, order, known_id=plan.known_id, tried_before=plan.tried_before)

    async def _put_customer(self, platform: BillogramClient, plan: Plan) -> int:
        customer, subscriber = plan.customer, plan.customer.subscriber
        if customer.is_current:
            return customer.number
        number = await put_customer(
            platform,
            subscriber,
            mark=f"avtal {plan.account}/{subscriber.subscriber_id}",
            number=customer.number,
            is_known=customer.is_known,
            next_number=lambda: self._writes.submit(lambda session: _renumber(session, plan)),
        )
        await self._writes.submit(lambda session: customer_written(session, plan.account, plan.customer))
        return number

    def _begin(self, session: Session, orders: Sequence[BillRequest]) -> Sequence[Plan | BillSnapshot]:
        begun = begin_bills(session, orders, self._renewals_per_second)
        access = {
            account: platform_access(session, self._cipher, account) for account in {one.account for one in begun}
        }
        return [_planned(session, bill, order, access[bill.account]) for bill, order in zip(begun, orders, strict=True)]

    async def _park(self, plan: Plan, parked: Parked, provider_message: str) -> BillSnapshot:
        def park(session: Session) -> BillSnapshot:
            bill = _locked(session, plan.account, plan.bill_id)
            bills.park_bill(session, bill, parked, provider_message)
            return bills.snapshot_of(bill)

        return await self._writes.submit(park)

    async def _note_trouble(self, plan: Plan, error: BillogramError) -> None:
        def note(session: Session) -> None:
            _locked(session, plan.account, plan.bill_id).provider_message = f"{error} {error.provider_message}".strip()

        await self._writes.submit(note)


def _ordered(order: MakeBillInput) -> BillRequest:
    return BillRequest(order.account, order.contract_id, order.period, order.revision, order.now, traceparent())


def _planned(session: Session, bill: BillRow, order: BillRequest, access: PlatformAccess | None) -> Plan | BillSnapshot:
    """The bill itself if there is nothing to ask for."""
    if bill.made or bill.void or bill.parked_reason is not None:
        return bills.snapshot_of(bill)
    assert access is not None, "a bill has an account"
    contract = session.get_one(ContractRow, (bill.account, bill.contract_id))
    customer = customer_of(session, bill.account, contract.subscriber_id)
    return Plan(
        account=bill.account,
        bill_id=bill.bill_id,
        order=bills.order_of(bill, customer.number, order.now),
        customer=customer,
        access=access,
        known_id=bill.billogram_id,
        tried_before=bill.attempts > 1,
    )


def _finish(session: Session, made: Sequence[MadeInvoice]) -> Sequence[BillSnapshot]:
    return [bills.snapshot_of(bill) for bill in bills.finish_bills(session, made)]


def _renumber(session: Session, plan: Plan) -> int:
    return renumber_customer(session, plan.account, plan.customer.subscriber.subscriber_id)


def _void(session: Session, order: VoidBillInput) -> None:
    bills.void_bill(session, _locked(session, order.account, order.bill_id))


def _noted(bill: BillSnapshot) -> BillSnapshot:
    if bill.parked is None:
        BILLS.labels("made", "").inc()
        log.info("bill %s made: %s", bill.bill_id, bill.status)
    else:
        BILLS.labels("parked", bill.parked.reason).inc()
        log.warning("bill %s parked: %s", bill.bill_id, bill.parked.reason)
    return bill


def _locked(session: Session, account: str, identity: str) -> BillRow:
    bill = bills.lock_bill(session, account, identity)
    assert bill is not None, "a bill is stored before the platform is asked"
    return bill
