"""Compares what a transaction found with what it leaves, and derives the events that follow."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, Fact, FactType
from avtal.contracts.events.events import (
    BillEventState,
    ContractEventState,
    EventType,
    bill_events,
    contract_events,
)
from avtal.contracts.events.payloads import Payload, PublishedBill, bill_payload, contract_payload
from avtal.contracts.lifecycle.state import ContractSnapshot
from avtal.store.tables import BillRow, ContractRow

TRACKED_BILLS, TRACKED_CONTRACTS = "avtal_bills", "avtal_contracts"
"""Keys of `Session.info`."""


class PendingEvent(NamedTuple):
    """An event without a number yet."""

    account: str
    contract_id: str
    bill_id: str | None
    type: EventType
    data: Payload


class TrackedBill:
    """A bill as the transaction found it, and the facts that the transaction has appended."""

    def __init__(self, bill: BillRow) -> None:
        self._bill = bill
        self._found = BillEventState.model_validate(bill, from_attributes=True)
        self._new: list[Fact] = []
        self._all: list[Fact] = []

    def add_facts(self, new: Sequence[Fact], known: Sequence[Fact]) -> None:
        """`known` are all facts of the bill, with the new ones."""
        self._new += new
        self._all = [*known]

    def pending_events(self) -> Iterator[PendingEvent]:
        bill = self._bill
        unpublished = self._all if self._found.status is BillStatus.CREATING else self._new
        failed = sum(fact.type is FactType.DELIVERY_FAILED for fact in unpublished)
        left = BillEventState.model_validate(bill, from_attributes=True)
        for kind in bill_events(self._found, left, deliveries_failed=failed):
            data = bill_payload(PublishedBill.model_validate(bill, from_attributes=True))
            yield PendingEvent(bill.account, bill.contract_id, bill.bill_id, kind, data)


class TrackedContract:
    def __init__(self, contract: ContractRow, *, is_new: bool) -> None:
        self._contract = contract
        self._found = None if is_new else ContractEventState.model_validate(contract, from_attributes=True)

    def pending_events(self) -> Iterator[PendingEvent]:
        row = self._contract
        left = ContractEventState.model_validate(row, from_attributes=True)
        for kind in contract_events(self._found, left):
            data = contract_payload(row.contract_id, ContractSnapshot.model_validate(row, from_attributes=True))
            yield PendingEvent(row.account, row.contract_id, None, kind, data)


def track_bill(session: Session, bill: BillRow) -> TrackedBill:
    """Call it before changing the bill. Later calls in the same transaction return the first state."""
    tracked: dict[tuple[str, str], TrackedBill] = session.info.setdefault(TRACKED_BILLS, {})
    key = bill.account, bill.bill_id
    if key not in tracked:
        tracked[key] = TrackedBill(bill)
    return tracked[key]


def track_contract(session: Session, contract: ContractRow, *, is_new: bool = False) -> None:
    """Call it before changing the contract, or when creating it."""
    tracked: dict[tuple[str, str], TrackedContract] = session.info.setdefault(TRACKED_CONTRACTS, {})
    key = contract.account, contract.contract_id
    if key not in tracked:
        tracked[key] = TrackedContract(contract, is_new=is_new)


def pending_events(session: Session) -> list[PendingEvent]:
    """The events of what the transaction has changed so far: those of contracts first."""
    tracked = [*session.info.get(TRACKED_CONTRACTS, {}).values(), *session.info.get(TRACKED_BILLS, {}).values()]
    return [event for one in tracked for event in one.pending_events()]
