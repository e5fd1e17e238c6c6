"""Reads what the live view shows from the store: the current rows, and only new facts."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.access.access import Access
from avtal.contracts.bills.bill import BillStatus, Fact, FactType
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.policy import Mode
from avtal.store.engine.clock import TestClock
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import StoredContract, contracts
from avtal.store.tables import BillRow, FactRow

FEED_LENGTH = 30
CONTRACTS_MAX = 100
METHODS: Mapping[str, str] = {DeliveryMethod.EMAIL: "e-mail", DeliveryMethod.LETTER: "letter"}


class DemoBill(NamedTuple):
    status: BillStatus
    method: str | None
    mode: str


class FeedEntry(NamedTuple):
    at: datetime
    contract_id: str
    text: str
    bill_no: int | None = None
    """Counted from 1; None if the entry is about the contract."""


class DemoSnapshot(NamedTuple):
    now: datetime
    contracts: Sequence[StoredContract]
    bills: Mapping[str, Sequence[DemoBill]]
    feed: Sequence[FeedEntry]
    """Oldest first."""
    latest: Mapping[str, FeedEntry]


class SnapshotReader:
    """Remembers the last fact read, so that each read is small."""

    def __init__(self, database: Database, clock: TestClock, account: str) -> None:
        self._database = database
        self._clock = clock
        self._account = account
        self._last_fact_id = 0
        self._access_texts: dict[str, str] = {}
        self._parked: set[str] = set()
        self._feed: deque[FeedEntry] = deque(maxlen=FEED_LENGTH)
        self._latest: dict[str, FeedEntry] = {}

    def read(self) -> DemoSnapshot:
        now = self._clock.now()
        with self._database.read() as session:
            found = contracts(session, self._account, status=None, access=None, after="", limit=CONTRACTS_MAX)
            rows = session.scalars(
                sa.select(BillRow)
                .where(BillRow.account == self._account, BillRow.void.is_(False))
                .order_by(BillRow.period_no)
            ).all()
            self._add_facts(session)
        bills: dict[str, list[DemoBill]] = {contract.contract_id: [] for contract in found}
        for row in rows:
            bills[row.contract_id].append(DemoBill(BillStatus(row.status), row.delivery_method, row.mode))
            self._add_parked(row)
        for contract in found:
            self._add_access_change(contract, now)
        return DemoSnapshot(now, found, bills, tuple(self._feed), dict(self._latest))

    def _add_facts(self, session: Session) -> None:
        new = session.execute(
            sa.select(FactRow, BillRow)
            .join(BillRow, sa.and_(BillRow.account == FactRow.account, BillRow.bill_id == FactRow.bill_id))
            .where(FactRow.id > self._last_fact_id)
            .order_by(FactRow.id)
        )
        for fact, bill in new.tuples():
            self._last_fact_id = fact.id
            text = _fact_text(Fact.model_validate(fact.fact), bill)
            if text is not None:
                self._add(FeedEntry(fact.at, bill.contract_id, text, bill.period_no + 1))

    def _add_parked(self, bill: BillRow) -> None:
        if bill.status != BillStatus.PARKED:
            self._parked.discard(bill.bill_id)
        elif bill.bill_id not in self._parked:
            self._parked.add(bill.bill_id)
            text = f"parked: {bill.parked_reason}"
            self._add(FeedEntry(bill.created_at, bill.contract_id, text, bill.period_no + 1))

    def _add_access_change(self, contract: StoredContract, now: datetime) -> None:
        text = _access_text(contract)
        before = self._access_texts.get(contract.contract_id)
        self._access_texts[contract.contract_id] = text
        if before is not None and before != text:
            at = contract.since if contract.status is not ContractStatus.CANCELLING else now
            self._add(FeedEntry(at, contract.contract_id, text))

    def _add(self, entry: FeedEntry) -> None:
        self._feed.append(entry)
        self._latest[entry.contract_id] = entry


def method_text(method: str | None) -> str:
    return METHODS.get(method or "", method or "-")


def _access_text(contract: StoredContract) -> str:
    if contract.status is ContractStatus.CANCELLING and contract.ending is not None:
        return f"cancelled to {contract.ending.on:%d %b}"
    return "access on" if contract.access is Access.ON else f"{contract.reason.replace('_', ' ')}: access off"


def _fact_text(fact: Fact, bill: BillRow) -> str | None:
    """None for a fact that the feed does not show."""
    amount = f"{(fact.amount_minor or 0) // 100} kr"
    match fact.type:
        case FactType.CREATED if bill.mode == Mode.DRAFT:
            return "draft created"
        case FactType.DISPATCHED:
            return f"sent: {method_text(bill.delivery_method)}"
        case FactType.PAYMENT:
            return f"paid {amount}"
        case FactType.CREDIT:
            return f"credited {amount}"
        case FactType.LOSS:
            return f"loss: {amount}"
        case FactType.DELETED:
            return "draft deleted"
        case FactType.OVERDUE:
            return "overdue"
    return None
