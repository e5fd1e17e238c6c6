"""Which events a transaction publishes, from the state before and after it."""

from datetime import UTC, date, datetime

import pytest

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, ParkedReason
from avtal.contracts.events.events import (
    BillEventState,
    ContractEventState,
    EventType,
    bill_events,
    contract_events,
    instant_text,
)
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.schedule import Ending, EndReason

DUE = date(2026, 12, 21)


def bill_state(
    status: str, remaining_minor: int = 395_00, due: date | None = DUE, parked: str | None = None
) -> BillEventState:
    return BillEventState(
        status=BillStatus(status),
        remaining_minor=remaining_minor,
        due_date=due,
        parked_reason=ParkedReason(parked) if parked else None,
    )


def contract_state(
    status: str = "active", access: str = "on", reason: str = "active", day: int | None = None
) -> ContractEventState:
    end = datetime(2027, 1, day, tzinfo=UTC) if day else None
    return ContractEventState(
        status=ContractStatus(status),
        access=Access(access),
        reason=AccessReason(reason),
        ending=Ending(on=end.date(), at=end, reason=EndReason.CANCELLED) if end else None,
    )


@pytest.mark.parametrize(
    ("before", "after", "types"),
    [
        (bill_state("creating"), bill_state("creating", 0), []),
        (bill_state("creating", due=None), bill_state("draft", due=None), ["bill.drafted"]),
        (bill_state("creating", due=None), bill_state("open"), ["bill.sent"]),
        (bill_state("creating"), bill_state("paid", 0), ["bill.paid"]),
        (bill_state("creating"), bill_state("parked", parked="undeliverable"), ["bill.parked"]),
        (bill_state("draft", due=None), bill_state("open"), ["bill.sent"]),
        (bill_state("draft"), bill_state("parked", parked="remote_deleted"), ["bill.parked"]),
        (bill_state("open"), bill_state("paid", 0), ["bill.paid"]),
        (bill_state("open"), bill_state("credited", 0), ["bill.credited"]),
        (bill_state("open"), bill_state("expired"), ["bill.expired"]),
        (bill_state("expired"), bill_state("paid", 0), ["bill.paid"]),
        (bill_state("paid", 0), bill_state("open"), ["bill.reopened"]),
        (bill_state("credited", 0), bill_state("open", 100_00), ["bill.reopened"]),
        (bill_state("expired"), bill_state("open"), ["bill.reopened"]),
        (bill_state("parked", parked="refused"), bill_state("creating"), ["bill.retried"]),
        (bill_state("parked", parked="refused"), bill_state("void"), ["bill.voided"]),
        (bill_state("parked", parked="refused"), bill_state("parked", parked="key_taken"), ["bill.parked"]),
        (bill_state("parked", parked="refused"), bill_state("parked", parked="refused"), []),
        (bill_state("open"), bill_state("open"), []),
        (bill_state("open"), bill_state("open", 200_00), ["bill.remaining_changed"]),
        (bill_state("open"), bill_state("open", due=date(2027, 1, 10)), ["bill.due_date_moved"]),
        (
            bill_state("open"),
            bill_state("open", 1, date(2027, 1, 10)),
            ["bill.due_date_moved", "bill.remaining_changed"],
        ),
    ],
)
def test_a_bill_change_publishes_its_events(before: BillEventState, after: BillEventState, types: list[str]) -> None:
    assert list(bill_events(before, after)) == types


def test_a_failed_delivery_is_published_after_the_bill_is_sent() -> None:
    failed = ["bill.delivery_failed"]

    assert list(bill_events(bill_state("open"), bill_state("open"), deliveries_failed=2)) == failed * 2
    assert list(bill_events(bill_state("open"), bill_state("paid", 0), deliveries_failed=1)) == [*failed, "bill.paid"]
    assert list(bill_events(bill_state("creating"), bill_state("creating"), deliveries_failed=1)) == []
    assert list(bill_events(bill_state("creating"), bill_state("open"), deliveries_failed=1)) == ["bill.sent", *failed]


@pytest.mark.parametrize(
    ("before", "after", "types"),
    [
        (None, contract_state(), ["contract.sold", "access.turned_on"]),
        (None, contract_state(access="off", reason="not_started"), ["contract.sold"]),
        (contract_state(access="off", reason="not_started"), contract_state(), ["access.turned_on"]),
        (contract_state(), contract_state(), []),
        (contract_state(), contract_state("cancelling", day=1), ["contract.cancelling"]),
        (contract_state("cancelling", day=1), contract_state("cancelling", day=2), ["contract.cancelling"]),
        (contract_state("cancelling", day=1), contract_state(), ["contract.cancellation_revoked"]),
        (
            contract_state("cancelling", day=1),
            contract_state("ended", "off", "cancelled", day=1),
            ["contract.ended", "access.turned_off"],
        ),
        (contract_state(), contract_state(access="off", reason="past_grace"), ["access.turned_off"]),
        (contract_state(), contract_state("suspended", "off", "loss"), ["contract.suspended", "access.turned_off"]),
        (contract_state("suspended", "off", "loss"), contract_state(), ["contract.resumed", "access.turned_on"]),
        (
            contract_state(access="off", reason="past_grace"),
            contract_state("suspended", "off", "loss"),
            ["contract.suspended", "access.reason_changed"],
        ),
    ],
)
def test_a_contract_change_publishes_its_events(
    before: ContractEventState | None, after: ContractEventState, types: list[str]
) -> None:
    assert list(contract_events(before, after)) == types


def test_every_status_has_its_events() -> None:
    reached = {kind for one in BillStatus for kind in bill_events(bill_state("draft", due=None), bill_state(one))}

    assert reached >= {EventType.BILL_SENT, EventType.BILL_VOIDED}
    for one in ContractStatus:
        list(contract_events(contract_state("cancelling", day=3), contract_state(one, day=3)))


def test_event_instants_are_formatted_as_in_the_api() -> None:
    assert instant_text(datetime(2026, 11, 21, 12, 0, 0, 999, tzinfo=UTC)) == "2026-11-21T12:00:00Z"
