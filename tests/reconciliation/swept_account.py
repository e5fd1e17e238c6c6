"""An account whose callbacks are lost, and what can happen to its invoices meanwhile."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import simplejson
import sqlalchemy as sa

from activities.billing import BillingActivities
from activities.inputs import MakeBillInput
from avtal.callbacks.recorder import CallbackRecorder
from avtal.contracts.bills.bill import BillStatus, bill_id
from avtal.reconciliation.findings import Kind, Report
from avtal.reconciliation.sweep import Reconciler
from avtal.store.billing.facts import facts_of
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import claim_callbacks
from avtal.store.tables import BillRow, CallbackRow, OutboxRow
from billogram_sandbox_tests.client import Json
from tests.billogram.builders import Platform
from tests.store.builders import ACCOUNT, CONTRACT, KEY, first_period, new_callback, new_contract


class MovableClock(Clock):
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class SweptAccount:
    """One account whose callbacks never arrive. Its staff and its subscribers act through `platform.other`."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self.database = database
        self.platform = platform
        self.clock = MovableClock()
        self.billing = BillingActivities(database, Cipher(KEY), platform.http)

    async def bill(self, contract_id: str = CONTRACT) -> str:
        """Creates a bill with its invoice. Returns the platform's id."""
        with self.database.write() as session:
            new_contract(session, contract_id)
        request = MakeBillInput(
            account=ACCOUNT, contract_id=contract_id, period=first_period(), revision=0, now=datetime.now(UTC)
        )
        await self.billing.make_bill(request)
        billogram_id = self.row(contract_id).billogram_id
        assert billogram_id is not None
        return billogram_id

    async def sweep(self) -> Report:
        reconciler = Reconciler(self.database, Cipher(KEY), self.platform.http, self.clock, lambda: None)
        return await reconciler.sweep(ACCOUNT)

    async def findings(self) -> list[tuple[Kind, str | None]]:
        return [(finding.kind, finding.bill_id) for finding in (await self.sweep()).findings]

    async def command(self, billogram_id: str, name: str, body: object = None) -> None:
        assert (await self.platform.other.command(billogram_id, name, body)).status_code == 200

    async def recall(self, billogram_id: str) -> None:
        await self.platform.other.control("POST", f"/billograms/{billogram_id}/recall")

    def row(self, contract_id: str = CONTRACT) -> BillRow:
        with self.database.read() as session:
            return session.get_one(BillRow, (ACCOUNT, bill_id(contract_id, 0, 0)))

    def events(self, contract_id: str = CONTRACT) -> set[str]:
        """The uuids of the bill's events."""
        with self.database.read() as session:
            row = session.get_one(BillRow, (ACCOUNT, bill_id(contract_id, 0, 0)))
            return {fact.event_uuid for fact in facts_of(session, row) if fact.event_uuid}

    def messages(self) -> int:
        """How many signals are queued for contracts."""
        with self.database.read() as session:
            count = sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.bill_id.is_not(None))
            return session.scalar(count) or 0


Action = Callable[[SweptAccount, str], Awaitable[Any]]  # Any: its result is ignored


def pay(**fields: str) -> Action:
    return lambda account, billogram_id: account.platform.other.pay(billogram_id, **fields)


def command(name: str, body: object = None) -> Action:
    return lambda account, billogram_id: account.command(billogram_id, name, body)


BILL = bill_id(CONTRACT, 0, 0)
FAR = "2100-01-31"
MISSED: dict[str, tuple[list[Action], Kind, BillStatus]] = {
    "paid": ([pay()], Kind.SETTLED, BillStatus.PAID),
    "paid in part": ([pay(amount="95.00")], Kind.CHANGED, BillStatus.OPEN),
    "marked as paid by staff": ([command("payment", {"amount": 395})], Kind.SETTLED, BillStatus.PAID),
    "credited": ([command("credit", {"mode": "full"})], Kind.SETTLED, BillStatus.CREDITED),
    "lost": ([command("confirmed-loss")], Kind.LOST, BillStatus.EXPIRED),
    "lost, and then paid": ([command("confirmed-loss"), pay(amount="395")], Kind.SETTLED, BillStatus.PAID),
    "doubtful": ([command("writedown")], Kind.HISTORY, BillStatus.OPEN),
    "given respite": ([command("respite", {"date": FAR})], Kind.CHANGED, BillStatus.OPEN),
    "paid and recalled": ([pay(), SweptAccount.recall], Kind.CHANGED, BillStatus.OPEN),
}


async def record(account: SweptAccount, body: Json) -> None:
    """Stores a callback and records it."""
    with account.database.write() as session:
        text = simplejson.dumps(body, use_decimal=True)
        session.execute(sa.delete(CallbackRow))
        new_callback(session, body["callback_id"], "subject", text, time.time())
        (callback,) = claim_callbacks(session, time.time(), 1)
    await CallbackRecorder(account.database, Cipher(KEY), account.platform.http, lambda: None).record(callback)
