"""Builds a store with one account, and contracts, bills, facts, and callbacks in it."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import Fact, FactType, bill_id
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.contracts.periods import Interval, IntervalUnit, Period
from avtal.contracts.policy import Mode, Policy
from avtal.contracts.schedule import Schedule
from avtal.contracts.start_slots import RENEWALS_PER_SECOND
from avtal.store.accounts.accounts import PlatformCredentials, create_account
from avtal.store.billing.bill_creation import BillRequest, start_bills
from avtal.store.billing.bills import MadeInvoice, finish_bills
from avtal.store.billing.sales import record_sale
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.queues.inbox import NewCallback, store_callbacks
from avtal.store.tables import BillRow, Table
from starter.sale import parse_sale

ACCOUNT = "demo"
CONTRACT = "c-1"
BILL = bill_id(CONTRACT, 0, 0)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = "bW9kZXJhdGVseV9zZWNyZXRfdGVzdF9rZXlfMDEyMzQ="
CALLBACK_KEY = "s3cret"


def new_store(url: str, mode: Mode = Mode.AUTOMATIC) -> Database:
    database = open_store(url)
    Table.metadata.create_all(database.engine)
    new_account(database, mode)
    return database


def new_account(database: Database, mode: Mode = Mode.AUTOMATIC, account: str = ACCOUNT) -> None:
    platform = PlatformCredentials(url="http://127.0.0.1:1", user="user", key="key", callback_keys=(CALLBACK_KEY,))
    with database.write() as session:
        create_account(session, Cipher(KEY), account, platform, Policy(mode=mode), NOW, 1000)


def new_contract(session: Session, contract_id: str = CONTRACT, account: str = ACCOUNT) -> None:
    line = {"title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}
    subscriber = {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"}
    sale = {"contract_id": contract_id, "subscriber": subscriber, "lines": [line], "interval": {"unit": "month"}}
    record_sale(session, account, parse_sale(sale, NOW), NOW)


def first_period() -> Period:
    return Schedule(anchor=NOW.date(), interval=Interval(unit=IntervalUnit.MONTH)).period(0)


def start_bill(
    session: Session,
    account: str,
    contract_id: str,
    period: Period,
    revision: int,
    now: datetime,
    per_second: float = RENEWALS_PER_SECOND,
) -> BillRow:
    return start_bills(session, [BillRequest(account, contract_id, period, revision, now)], per_second)[0]


def finish_bill(session: Session, bill: BillRow, invoice: RemoteInvoice, customer_no: int) -> None:
    finish_bills(session, [MadeInvoice(bill.account, bill.bill_id, invoice, customer_no)])


def new_bill(session: Session, contract_id: str = CONTRACT) -> BillRow:
    return start_bill(session, ACCOUNT, contract_id, first_period(), 0, NOW)


def fact(kind: FactType, amount_minor: int | None = None, *, uuid: str | None = None, digest: str = "") -> Fact:
    named = digest or f"{kind} {amount_minor} {uuid}"
    return Fact(type=kind, at=NOW, source="callback", digest=named, event_uuid=uuid, amount_minor=amount_minor)


def new_callback(
    session: Session,
    callback_id: str,
    group_key: str,
    body: str = "{}",
    stored_at: float = 1000.0,
    account: str = ACCOUNT,
) -> None:
    """A callback that was sent to us, and is stored."""
    store_callbacks(session, [NewCallback(account, callback_id, group_key, body, stored_at)], NOW)
