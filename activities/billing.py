"""Makes a bill's invoice at the platform, exactly once, and stores the result.

The bill is stored as `creating` before the platform gets a request, and the platform's response is stored after it. If
the process dies in between, the next attempt continues from what is stored. A refusal of the data parks the bill. While
the platform fails, the activity fails, and the contract retries it later.
"""

import logging
from collections.abc import Sequence

import httpx
from prometheus_client import Counter
from sqlalchemy.orm import Session
from temporalio import activity

from activities.inputs import MakeBillInput, VoidBillInput
from activities.retryable import retryable
from avtal.billogram.client import BillogramClient
from avtal.billogram.customers import put_customer
from avtal.billogram.errors import BillogramError, DataRefused
from avtal.billogram.invoices import DuplicateRemote, KeyTaken, RemoteDeleted, make_invoice
from avtal.contracts.bills.bill import BillSnapshot, Parked, ParkedReason, bill_id
from avtal.contracts.bills.invoice import InvoiceRequest
from avtal.contracts.frozen import Frozen
from avtal.contracts.start_slots import RENEWALS_PER_SECOND
from avtal.log_context import log_context
from avtal.store.accounts.accounts import PlatformCredentials, platform_credentials
from avtal.store.billing.bill_creation import BillRequest, start_bills
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.bills import MadeInvoice, finish_bills, invoice_request, park_bill, void_bill
from avtal.store.billing.subscribers import Customer, confirm_customer, ensure_customer, renumber_customer
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import GroupCommit
from avtal.store.tables import BillRow, ContractRow
from avtal.store.tables.snapshots import snapshot_of
from avtal.tracing import traceparent

PARKS = {
    KeyTaken: ParkedReason.KEY_TAKEN,
    DuplicateRemote: ParkedReason.DUPLICATE_REMOTE,
    RemoteDeleted: ParkedReason.REMOTE_DELETED,
}
BILLS = Counter("avtal_bills", "Attempts at making a bill, by outcome and reason", ["outcome", "reason"])

log = logging.getLogger(__name__)


class InvoicePlan(Frozen):
    """The invoice that the platform is to make for one bill. `known_id` is its id there, if it is known already."""

    account: str
    bill_id: str
    request: InvoiceRequest
    customer: Customer
    credentials: PlatformCredentials
    known_id: str | None
    tried_before: bool


class BillingActivities:
    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        http: httpx.AsyncClient,
        renewals_per_second: float = RENEWALS_PER_SECOND,
    ) -> None:
        self._writes = GroupCommit(database)
        self._cipher = cipher
        self._http = http
        self._renewals_per_second = renewals_per_second

    @activity.defn
    async def make_bill(self, request: MakeBillInput) -> BillSnapshot:
        """The bill once its invoice is made, or once it is parked. Fails while the platform fails."""
        identity = bill_id(request.contract_id, request.period.number, request.revision)
        with log_context(request.account, request.contract_id, identity):
            bill = await self._make_bill(request)
            _report(bill)
            return bill

    @activity.defn
    async def void_bill(self, request: VoidBillInput) -> None:
        with log_context(request.account, bill_id=request.bill_id):
            await self._writes.submit(
                lambda session: void_bill(session, _locked(session, request.account, request.bill_id))
            )
        log.info("bill %s is void", request.bill_id)

    async def _make_bill(self, request: MakeBillInput) -> BillSnapshot:
        plan = await self._writes.submit_batched(self._start_bills, _bill_request(request))
        if isinstance(plan, BillSnapshot):
            return plan
        try:
            made = await self._make_at_platform(plan)
        except tuple(PARKS) as error:
            return await self._park(plan, Parked(reason=PARKS[type(error)]), "")
        except DataRefused as error:
            parked = Parked(reason=ParkedReason.REFUSED, field=error.field)
            return await self._park(plan, parked, error.provider_message)
        except BillogramError as error:
            await self._record_failure(plan, error)
            raise retryable(error) from None
        return await self._writes.submit_batched(_finish_bills, made)

    def _start_bills(self, session: Session, requests: Sequence[BillRequest]) -> Sequence[InvoicePlan | BillSnapshot]:
        bills = start_bills(session, requests, self._renewals_per_second)
        accounts = {bill.account for bill in bills}
        credentials = {account: platform_credentials(session, self._cipher, account) for account in accounts}
        return [
            _invoice_plan(session, bill, request, credentials[bill.account])
            for bill, request in zip(bills, requests, strict=True)
        ]

    async def _make_at_platform(self, plan: InvoicePlan) -> MadeInvoice:
        platform = BillogramClient(self._http, plan.credentials)
        number = await self._put_customer(platform, plan)
        request = plan.request.model_copy(update={"customer_no": number})
        invoice = await make_invoice(platform, request, known_id=plan.known_id, tried_before=plan.tried_before)
        return MadeInvoice(plan.account, plan.bill_id, invoice, number)

    async def _put_customer(self, platform: BillogramClient, plan: InvoicePlan) -> int:
        """The subscriber's customer number at the platform."""
        account, customer, subscriber = plan.account, plan.customer, plan.customer.subscriber
        if customer.is_current:
            return customer.number
        number = await put_customer(
            platform,
            subscriber,
            note=f"avtal {account}/{subscriber.subscriber_id}",
            number=customer.number,
            is_known=customer.is_known,
            next_number=lambda: self._writes.submit(
                lambda session: renumber_customer(session, account, subscriber.subscriber_id)
            ),
        )
        await self._writes.submit(lambda session: confirm_customer(session, account, customer))
        return number

    async def _park(self, plan: InvoicePlan, parked: Parked, provider_message: str) -> BillSnapshot:
        def park(session: Session) -> BillSnapshot:
            bill = _locked(session, plan.account, plan.bill_id)
            park_bill(session, bill, parked, provider_message)
            return snapshot_of(bill)

        return await self._writes.submit(park)

    async def _record_failure(self, plan: InvoicePlan, error: BillogramError) -> None:
        def record(session: Session) -> None:
            _locked(session, plan.account, plan.bill_id).provider_message = f"{error} {error.provider_message}".strip()

        await self._writes.submit(record)
        BILLS.labels("failed", type(error).__name__).inc()
        log.warning("bill %s failed and will be retried: %s", plan.bill_id, error)


def _bill_request(request: MakeBillInput) -> BillRequest:
    return BillRequest(
        request.account, request.contract_id, request.period, request.revision, request.now, traceparent()
    )


def _invoice_plan(
    session: Session, bill: BillRow, request: BillRequest, credentials: PlatformCredentials | None
) -> InvoicePlan | BillSnapshot:
    """The bill itself if it needs no invoice."""
    if bill.made or bill.void or bill.parked_reason is not None:
        return snapshot_of(bill)
    assert credentials is not None, "a bill has an account"
    contract = session.get_one(ContractRow, (bill.account, bill.contract_id))
    customer = ensure_customer(session, bill.account, contract.subscriber_id)
    return InvoicePlan(
        account=bill.account,
        bill_id=bill.bill_id,
        request=invoice_request(bill, customer.number, request.now),
        customer=customer,
        credentials=credentials,
        known_id=bill.billogram_id,
        tried_before=bill.attempts > 1,
    )


def _finish_bills(session: Session, made: Sequence[MadeInvoice]) -> Sequence[BillSnapshot]:
    return [snapshot_of(bill) for bill in finish_bills(session, made)]


def _report(bill: BillSnapshot) -> None:
    if bill.parked is None:
        BILLS.labels("made", "").inc()
        log.info("bill %s made: %s", bill.bill_id, bill.status)
    else:
        BILLS.labels("parked", bill.parked.reason).inc()
        log.warning("bill %s parked: %s", bill.bill_id, bill.parked.reason)


def _locked(session: Session, account: str, identity: str) -> BillRow:
    bill = lock_bill(session, account, identity)
    assert bill is not None, "a bill is stored before the platform gets a request"
    return bill
