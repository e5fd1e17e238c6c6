"""What the Temporal UI shows of a contract: the explanation of access, each open bill, and the next step."""

from datetime import UTC, date, datetime, timedelta

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillSnapshot, BillStatus, Parked, ParkedReason
from avtal.contracts.lifecycle.commands import cancel
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractStatus, Retry, initial_state
from avtal.contracts.lifecycle.ui_details import contract_details
from avtal.contracts.periods import Interval, IntervalUnit
from avtal.contracts.schedule import Schedule

SOLD = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SCHEDULE = Schedule(anchor=date(2026, 11, 21), interval=Interval(unit=IntervalUnit.MONTH))
ROW = ContractSnapshot(status=ContractStatus.ACTIVE, access=Access.ON, reason=AccessReason.ACTIVE, since=SOLD)
OPEN = BillSnapshot(
    bill_id="c-1:0:r0", period=0, version=2, status=BillStatus.OPEN, due_date=date(2026, 12, 21), remaining_minor=395_05
)
STATE = initial_state(SCHEDULE, SOLD, ROW).model_copy(update={"bills": {OPEN.bill_id: OPEN}, "next_period": 1})


def test_a_running_contract_shows_its_open_bill_and_its_next_one() -> None:
    assert contract_details(STATE, SOLD) == (
        "**active, access on** (active)\n\n"
        "Access is on: bill c-1:0:r0 is open (395.05 left, due 2026-12-21), and unpaid bills change nothing, for no "
        "grace period is configured (grace_days, policy version 0). A cancellation would end it.\n\n"
        "*Åtkomsten är på: faktura c-1:0:r0 är öppen (395.05 kvar, förfaller 2026-12-21), och obetalda fakturor "
        "ändrar inget, för ingen respit är inställd (grace_days, policyversion 0). En uppsägning skulle avsluta "
        "avtalet.*\n\n"
        "* Billed every month from 2026-11-21, until further notice, in the time zone Europe/Stockholm\n"
        "* bill `c-1:0:r0`: open, 395.05 remaining, due 2026-12-21\n"
        "* next: the bill of period 1, on 2026-12-21"
    )


def test_a_parked_bill_shows_its_reason_and_a_failed_one_its_retry() -> None:
    parked = BillSnapshot(
        bill_id="c-1:0:r0",
        period=0,
        status=BillStatus.PARKED,
        parked=Parked(reason=ParkedReason.REFUSED, field="org_no"),
    )
    waiting = BillSnapshot(bill_id="c-1:1:r0", period=1)
    retry = Retry(at=SOLD + timedelta(hours=1), failures=3)
    bills = {bill.bill_id: bill for bill in (parked, waiting)}
    shown = contract_details(STATE.model_copy(update={"bills": bills, "retries": {waiting.bill_id: retry}}), SOLD)

    assert "* bill `c-1:0:r0`: parked, waits for a person, reason refused at org_no\n" in shown
    assert "* bill `c-1:1:r0`: being made, failed at the platform 3 times, next attempt at 2026-11-21 13:00" in shown


def test_an_ended_contract_shows_that_it_waits_for_open_bills() -> None:
    ended = cancel(STATE, "c-1", "now", SOLD)

    assert contract_details(ended, SOLD).startswith("**ended, access off** (cancelled)")
    assert contract_details(ended, SOLD).endswith("* next: the contract waits for its open bills")
