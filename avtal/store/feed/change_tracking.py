"""What a transaction changes, seen as it found it and as it leaves it, and what the publisher is told of that.

Told is what the API would show, as far as it lies in the row, and nothing about the reader: no name, no address, none
of the platform's own words, and no link to the invoice.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from avtal.contracts.access.access import grace_ends
from avtal.contracts.bills.bill import PARKED_TEXTS, BillStatus, Fact, FactType, ParkedReason, status_text
from avtal.contracts.events.events import (
    BillEventState,
    ContractEventState,
    EventType,
    bill_events,
    contract_events,
    instant_text,
)
from avtal.contracts.lifecycle.state import ContractSnapshot
from avtal.contracts.money import Currency, Money
from avtal.store.tables import BillRow, ContractRow
from avtal.store.tables.columns import Json

WATCHED_BILLS, WATCHED_CONTRACTS = "avtal_bills", "avtal_contracts"


class PendingEvent(NamedTuple):
    """An event that has no number yet."""

    account: str
    contract_id: str
    bill_id: str | None
    type: EventType
    data: Json


class TrackedBill:
    """A bill as the transaction found it, and the facts that came to it since."""

    def __init__(self, bill: BillRow) -> None:
        self._bill = bill
        self._found = _bill_event_state(bill)
        self._new: list[Fact] = []
        self._all: list[Fact] = []

    def note_facts(self, new: Sequence[Fact], known: Sequence[Fact]) -> None:
        self._new += new
        self._all = [*known]

    def news(self) -> Iterator[PendingEvent]:
        bill = self._bill
        told = self._all if self._found.status is BillStatus.CREATING else self._new
        failed = sum(fact.type is FactType.DELIVERY_FAILED for fact in told)
        for kind in bill_events(self._found, _bill_event_state(bill), deliveries_failed=failed):
            yield PendingEvent(bill.account, bill.contract_id, bill.bill_id, kind, _bill_data(bill))


class TrackedContract:
    def __init__(self, contract: ContractRow, *, is_new: bool) -> None:
        self._contract = contract
        self._found = None if is_new else _contract_event_state(contract)

    def news(self) -> Iterator[PendingEvent]:
        row = self._contract
        for kind in contract_events(self._found, _contract_event_state(row)):
            yield PendingEvent(row.account, row.contract_id, None, kind, _contract_data(row))


def track_bill(session: Session, bill: BillRow) -> TrackedBill:
    """Before the bill is changed; if the transaction has changed it already, what it was before that counts."""
    watched: dict[tuple[str, str], TrackedBill] = session.info.setdefault(WATCHED_BILLS, {})
    key = bill.account, bill.bill_id
    if key not in watched:
        watched[key] = TrackedBill(bill)
    return watched[key]


def track_contract(session: Session, contract: ContractRow, *, is_new: bool = False) -> None:
    """Before the contract is changed, or when it is made."""
    watched: dict[tuple[str, str], TrackedContract] = session.info.setdefault(WATCHED_CONTRACTS, {})
    key = contract.account, contract.contract_id
    if key not in watched:
        watched[key] = TrackedContract(contract, is_new=is_new)


def pending_events(session: Session) -> list[PendingEvent]:
    """What the transaction has changed so far."""
    watched = [*session.info.get(WATCHED_CONTRACTS, {}).values(), *session.info.get(WATCHED_BILLS, {}).values()]
    return [news for one in watched for news in one.news()]


def _bill_event_state(bill: BillRow) -> BillEventState:
    return BillEventState(
        status=BillStatus(bill.status),
        remaining_minor=bill.remaining_minor,
        due_date=bill.due_date,
        parked_reason=ParkedReason(bill.parked_reason) if bill.parked_reason else None,
    )


def _contract_event_state(contract: ContractRow) -> ContractEventState:
    return ContractEventState.model_validate(contract, from_attributes=True)


def _bill_data(bill: BillRow) -> Json:
    def amount(minor: int) -> str:
        return Money(minor=minor, currency=Currency(bill.currency)).text

    last_day = grace_ends(bill)
    return {
        "contract_id": bill.contract_id,
        "bill_id": bill.bill_id,
        "period": {
            "number": bill.period_no,
            "start": bill.period_start.isoformat(),
            "end": bill.period_end.isoformat(),
        },
        "status": str(bill.status),
        "status_text": status_text(BillStatus(bill.status), bill.total_minor),
        "delivery_method": bill.delivery_method,
        "billogram_id": bill.billogram_id,
        "invoice_no": bill.invoice_no,
        "total": amount(bill.total_minor),
        "vat": amount(bill.vat_minor),
        "remaining": amount(bill.remaining_minor),
        "currency": bill.currency,
        "due_date": bill.due_date.isoformat() if bill.due_date else None,
        "grace_ends": last_day.isoformat() if last_day else None,
        "parked": _parked_data(bill),
    }


def _parked_data(bill: BillRow) -> Json | None:
    if bill.status != BillStatus.PARKED or bill.parked_reason is None:
        return None
    reason = ParkedReason(bill.parked_reason)
    return {"reason": str(reason), "detail": PARKED_TEXTS[reason]}


def _contract_data(contract: ContractRow) -> Json:
    standing = ContractSnapshot.model_validate(contract, from_attributes=True)
    return {
        "contract_id": contract.contract_id,
        "status": str(standing.status),
        "access": str(standing.access),
        "reason": str(standing.reason),
        "since": instant_text(standing.since),
        "ends_on": standing.ending.on.isoformat() if standing.ending else None,
    }
