"""Which events follow from what a transaction found and what it leaves."""

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


def seen(
    status: str, remaining_minor: int = 395_00, due: date | None = DUE, parked: str | None = None
) -> BillEventState:
    return BillEventState(
        status=BillStatus(status),
        remaining_minor=remaining_minor,
        due_date=due,
        parked_reason=ParkedReason(parked) if parked else None,
    )


def standing(
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
    ("before", "after", "told"),
    [
        (seen("creating"), seen("creating", 0), []),
        (seen("creating", due=None), seen("draft", due=None), ["bill.drafted"]),
        (seen("creating", due=None), seen("open"), ["bill.sent"]),
        (seen("creating"), seen("paid", 0), ["bill.paid"]),
        (seen("creating"), seen("parked", parked="undeliverable"), ["bill.parked"]),
        (seen("draft", due=None), seen("open"), ["bill.sent"]),
        (seen("draft"), seen("parked", parked="remote_deleted"), ["bill.parked"]),
        (seen("open"), seen("paid", 0), ["bill.paid"]),
        (seen("open"), seen("credited", 0), ["bill.credited"]),
        (seen("open"), seen("expired"), ["bill.expired"]),
        (seen("expired"), seen("paid", 0), ["bill.paid"]),
        (seen("paid", 0), seen("open"), ["bill.reopened"]),
        (seen("credited", 0), seen("open", 100_00), ["bill.reopened"]),
        (seen("expired"), seen("open"), ["bill.reopened"]),
        (seen("parked", parked="refused"), seen("creating"), ["bill.retried"]),
        (seen("parked", parked="refused"), seen("void"), ["bill.voided"]),
        (seen("parked", parked="refused"), seen("parked", parked="key_taken"), ["bill.parked"]),
        (seen("parked", parked="refused"), seen("parked", parked="refused"), []),
        (seen("open"), seen("open"), []),
        (seen("open"), seen("open", 200_00), ["bill.remaining_changed"]),
        (seen("open"), seen("open", due=date(2027, 1, 10)), ["bill.due_date_moved"]),
        (seen("open"), seen("open", 1, date(2027, 1, 10)), ["bill.due_date_moved", "bill.remaining_changed"]),
    ],
)
def test_what_a_bills_change_tells(before: BillEventState, after: BillEventState, told: list[str]) -> None:
    assert list(bill_events(before, after)) == told


def test_a_failed_delivery_is_told_when_it_is_heard_of_and_never_before_its_sending() -> None:
    failed = ["bill.delivery_failed"]

    assert list(bill_events(seen("open"), seen("open"), deliveries_failed=2)) == failed * 2
    assert list(bill_events(seen("open"), seen("paid", 0), deliveries_failed=1)) == [*failed, "bill.paid"]
    assert list(bill_events(seen("creating"), seen("creating"), deliveries_failed=1)) == []
    assert list(bill_events(seen("creating"), seen("open"), deliveries_failed=1)) == ["bill.sent", *failed]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, standing(), ["contract.sold", "access.turned_on"]),
        (None, standing(access="off", reason="not_started"), ["contract.sold"]),
        (standing(access="off", reason="not_started"), standing(), ["access.turned_on"]),
        (standing(), standing(), []),
        (standing(), standing("cancelling", day=1), ["contract.cancelling"]),
        (standing("cancelling", day=1), standing("cancelling", day=2), ["contract.cancelling"]),
        (standing("cancelling", day=1), standing(), ["contract.cancellation_revoked"]),
        (
            standing("cancelling", day=1),
            standing("ended", "off", "cancelled", day=1),
            ["contract.ended", "access.turned_off"],
        ),
        (standing(), standing(access="off", reason="past_grace"), ["access.turned_off"]),
        (standing(), standing("suspended", "off", "loss"), ["contract.suspended", "access.turned_off"]),
        (standing("suspended", "off", "loss"), standing(), ["contract.resumed", "access.turned_on"]),
        (
            standing(access="off", reason="past_grace"),
            standing("suspended", "off", "loss"),
            ["contract.suspended", "access.reason_changed"],
        ),
    ],
)
def test_what_a_contracts_change_tells(
    before: ContractEventState | None, after: ContractEventState, told: list[str]
) -> None:
    assert list(contract_events(before, after)) == told


def test_every_status_that_can_be_reached_has_its_event() -> None:
    reached = {kind for one in BillStatus for kind in bill_events(seen("draft", due=None), seen(one))}

    assert reached >= {EventType.BILL_SENT, EventType.BILL_VOIDED}
    for one in ContractStatus:
        list(contract_events(standing("cancelling", day=3), standing(one, day=3)))


def test_instants_are_told_as_the_api_tells_them() -> None:
    assert instant_text(datetime(2026, 11, 21, 12, 0, 0, 999, tzinfo=UTC)) == "2026-11-21T12:00:00Z"
