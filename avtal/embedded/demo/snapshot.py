"""What the live view shows, read from the store a few times a second: new facts only, and the rows as they are."""

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


class BillGlimpse(NamedTuple):
    contract_id: str
    period: int
    status: BillStatus
    method: str | None
    mode: str


class Happening(NamedTuple):
    at: datetime
    contract_id: str
    text: str
    bill_no: int | None = None
    """As people count, from 1; none if it happened to the contract."""


class Glimpse(NamedTuple):
    now: datetime
    contracts: Sequence[StoredContract]
    bills: Mapping[str, Sequence[BillGlimpse]]
    feed: Sequence[Happening]
    """Oldest first."""
    latest: Mapping[str, Happening]


class Watcher:
    """Remembers what it has seen, so that each look reads little."""

    def __init__(self, database: Database, clock: TestClock, account: str) -> None:
        self._database = database
        self._clock = clock
        self._account = account
        self._last_fact = 0
        self._standings: dict[str, str] = {}
        self._parked: set[str] = set()
        self._feed: deque[Happening] = deque(maxlen=FEED_LENGTH)
        self._latest: dict[str, Happening] = {}

    def look(self) -> Glimpse:
        now = self._clock.now()
        with self._database.read() as session:
            found = contracts(session, self._account, status=None, access=None, after="", limit=CONTRACTS_MAX)
            rows = session.scalars(
                sa.select(BillRow)
                .where(BillRow.account == self._account, BillRow.void.is_(False))
                .order_by(BillRow.period_no)
            ).all()
            self._note_facts(session)
        bills: dict[str, list[BillGlimpse]] = {contract.contract_id: [] for contract in found}
        for row in rows:
            bills[row.contract_id].append(_bill(row))
            self._note_parked(row)
        for contract in found:
            self._note_standing(contract, now)
        return Glimpse(now, found, bills, tuple(self._feed), dict(self._latest))

    def _note_facts(self, session: Session) -> None:
        new = session.execute(
            sa.select(FactRow, BillRow)
            .join(BillRow, sa.and_(BillRow.account == FactRow.account, BillRow.bill_id == FactRow.bill_id))
            .where(FactRow.id > self._last_fact)
            .order_by(FactRow.id)
        )
        for fact, bill in new.tuples():
            self._last_fact = fact.id
            text = _words(Fact.model_validate(fact.fact), bill)
            if text is not None:
                self._note(Happening(fact.at, bill.contract_id, text, bill.period_no + 1))

    def _note_parked(self, bill: BillRow) -> None:
        if bill.status != BillStatus.PARKED:
            self._parked.discard(bill.bill_id)
        elif bill.bill_id not in self._parked:
            self._parked.add(bill.bill_id)
            text = f"parked: {bill.parked_reason}"
            self._note(Happening(bill.created_at, bill.contract_id, text, bill.period_no + 1))

    def _note_standing(self, contract: StoredContract, now: datetime) -> None:
        words = _standing_words(contract)
        before = self._standings.get(contract.contract_id)
        self._standings[contract.contract_id] = words
        if before is not None and before != words:
            at = contract.since if contract.status is not ContractStatus.CANCELLING else now
            self._note(Happening(at, contract.contract_id, words))

    def _note(self, happening: Happening) -> None:
        self._feed.append(happening)
        self._latest[happening.contract_id] = happening


def method_words(method: str | None) -> str:
    return METHODS.get(method or "", method or "-")


def _bill(row: BillRow) -> BillGlimpse:
    return BillGlimpse(row.contract_id, row.period_no, BillStatus(row.status), row.delivery_method, row.mode)


def _standing_words(contract: StoredContract) -> str:
    if contract.status is ContractStatus.CANCELLING and contract.ending is not None:
        return f"cancelled to {contract.ending.on:%d %b}"
    return "access on" if contract.access is Access.ON else f"{contract.reason.replace('_', ' ')}: access off"


def _words(fact: Fact, bill: BillRow) -> str | None:
    """None for what is no news to a watcher."""
    amount = f"{(fact.amount_minor or 0) // 100} kr"
    match fact.type:
        case FactType.CREATED if bill.mode == Mode.DRAFT:
            return "drafted"
        case FactType.DISPATCHED:
            return f"sent: {method_words(bill.delivery_method)}"
        case FactType.PAYMENT:
            return f"paid {amount}"
        case FactType.CREDIT:
            return f"credited {amount}"
        case FactType.LOSS:
            return f"given up: {amount}"
        case FactType.DELETED:
            return "draft deleted"
        case FactType.OVERDUE:
            return "overdue"
    return None
