"""Which events a transaction publishes, from a bill or contract as it was before and as it is after.

Each row of the tables below is one event; docs/events.md describes them for their receivers. A state that existed only
within the transaction publishes nothing.

    a bill whose status is new       bill.drafted, .paid, .credited, .expired, .parked, .voided
        open                         bill.reopened if it was settled or expired, else bill.sent
        creating                     bill.retried if it was parked; a first creation publishes nothing
    parked for another reason        bill.parked
    the same status, otherwise       bill.due_date_moved, bill.remaining_changed
    a delivery that failed           bill.delivery_failed, before the others: it is their cause

    a contract that is new           contract.sold
    whose status is new              contract.cancelling, .cancellation_revoked, .suspended, .resumed, .ended
    cancelled to another day         contract.cancelling
    whose access is new              access.turned_on, access.turned_off: after the contract's own event
    off for another reason           access.reason_changed
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import SETTLED, BillStatus, ParkedReason
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.schedule import Ending


class EventType(StrEnum):
    CONTRACT_SOLD = "contract.sold"
    CONTRACT_CANCELLING = "contract.cancelling"
    CONTRACT_CANCELLATION_REVOKED = "contract.cancellation_revoked"
    CONTRACT_SUSPENDED = "contract.suspended"
    CONTRACT_RESUMED = "contract.resumed"
    CONTRACT_ENDED = "contract.ended"
    ACCESS_TURNED_ON = "access.turned_on"
    ACCESS_TURNED_OFF = "access.turned_off"
    ACCESS_REASON_CHANGED = "access.reason_changed"
    BILL_DRAFTED = "bill.drafted"
    BILL_SENT = "bill.sent"
    BILL_DELIVERY_FAILED = "bill.delivery_failed"
    BILL_REMAINING_CHANGED = "bill.remaining_changed"
    BILL_DUE_DATE_MOVED = "bill.due_date_moved"
    BILL_PAID = "bill.paid"
    BILL_CREDITED = "bill.credited"
    BILL_EXPIRED = "bill.expired"
    BILL_REOPENED = "bill.reopened"
    BILL_PARKED = "bill.parked"
    BILL_RETRIED = "bill.retried"
    BILL_VOIDED = "bill.voided"


BY_BILL_STATUS = {
    BillStatus.DRAFT: EventType.BILL_DRAFTED,
    BillStatus.OPEN: EventType.BILL_SENT,
    BillStatus.PAID: EventType.BILL_PAID,
    BillStatus.CREDITED: EventType.BILL_CREDITED,
    BillStatus.EXPIRED: EventType.BILL_EXPIRED,
    BillStatus.PARKED: EventType.BILL_PARKED,
    BillStatus.VOID: EventType.BILL_VOIDED,
}
BY_CONTRACT_STATUS = {
    ContractStatus.CANCELLING: EventType.CONTRACT_CANCELLING,
    ContractStatus.SUSPENDED: EventType.CONTRACT_SUSPENDED,
    ContractStatus.ENDED: EventType.CONTRACT_ENDED,
}


class BillEventState(Frozen):
    """The fields of a bill that decide about events."""

    status: BillStatus
    remaining_minor: int
    due_date: date | None
    parked_reason: ParkedReason | None


class ContractEventState(Frozen):
    status: ContractStatus
    access: Access
    reason: AccessReason
    ending: Ending | None


def bill_events(before: BillEventState, after: BillEventState, *, deliveries_failed: int = 0) -> Iterator[EventType]:
    """`deliveries_failed` counts the new facts of that type; for a bill that has just been made, all facts."""
    if after.status is BillStatus.CREATING:
        if before.status is BillStatus.PARKED:
            yield EventType.BILL_RETRIED
        return
    failures = [EventType.BILL_DELIVERY_FAILED] * deliveries_failed
    if before.status is BillStatus.CREATING:
        yield from _new_status(before, after)
        yield from failures  # of the invoice that was just sent
        return
    yield from failures
    if after.status is not before.status:
        yield from _new_status(before, after)
    else:
        yield from _same_status(before, after)


def contract_events(before: ContractEventState | None, after: ContractEventState) -> Iterator[EventType]:
    """`before` is None for a new contract."""
    if before is None:
        yield EventType.CONTRACT_SOLD
    elif after.status is not before.status:
        yield _contract_event(before, after)
    elif after.status is ContractStatus.CANCELLING and after.ending != before.ending:
        yield EventType.CONTRACT_CANCELLING
    was = Access.OFF if before is None else before.access
    if after.access is not was:
        yield EventType.ACCESS_TURNED_ON if after.access is Access.ON else EventType.ACCESS_TURNED_OFF
    elif before is not None and after.reason is not before.reason:
        yield EventType.ACCESS_REASON_CHANGED


def instant_text(at: datetime) -> str:
    """As in the API's responses."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _new_status(before: BillEventState, after: BillEventState) -> Iterator[EventType]:
    was_closed = before.status in SETTLED or before.status is BillStatus.EXPIRED
    if after.status is BillStatus.OPEN and was_closed:
        yield EventType.BILL_REOPENED
    else:
        yield BY_BILL_STATUS[after.status]


def _same_status(before: BillEventState, after: BillEventState) -> Iterator[EventType]:
    if after.status is BillStatus.PARKED and after.parked_reason is not before.parked_reason:
        yield EventType.BILL_PARKED
    if after.due_date != before.due_date:
        yield EventType.BILL_DUE_DATE_MOVED
    if after.remaining_minor != before.remaining_minor:
        yield EventType.BILL_REMAINING_CHANGED


def _contract_event(before: ContractEventState, after: ContractEventState) -> EventType:
    if after.status is ContractStatus.ACTIVE:
        was_cancelling = before.status is ContractStatus.CANCELLING
        return EventType.CONTRACT_CANCELLATION_REVOKED if was_cancelling else EventType.CONTRACT_RESUMED
    return BY_CONTRACT_STATUS[after.status]
