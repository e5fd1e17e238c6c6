"""Periods that pass wholly without access are never billed, and `since` is the instant at which access changed."""

from datetime import date, datetime, timedelta

import pytest

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType
from avtal.contracts.lifecycle.commands import cancel
from avtal.contracts.lifecycle.state import access_of
from avtal.contracts.periods import Interval, IntervalUnit, local_midnight
from avtal.contracts.policy import Policy, RenewalWhileOff
from avtal.contracts.schedule import CancelAt, Schedule
from tests.contracts.lifecycle.simulated_contract import CONTRACT_ID, SOLD_AT, TOTAL_MINOR, SimulatedContract
from tests.oracle import ZONE

GRACE = Policy(grace_days=5, payment_days=30)
OFF_ON = date(2027, 4, 25)
"""Bill 0 of 20 March is due on 19 April; five days of grace end on the 24th."""


def monthly(policy: Policy = GRACE, fixed_periods: int | None = None) -> SimulatedContract:
    interval = Interval(unit=IntervalUnit.MONTH)
    return SimulatedContract(
        Schedule(anchor=date(2027, 3, 20), interval=interval, zone=ZONE, fixed_periods=fixed_periods), policy
    )


def at(day: date) -> datetime:
    return local_midnight(day, ZONE)


def periods(contract: SimulatedContract) -> list[int]:
    return sorted(bill.period for bill in contract.bills.values())


def pay(contract: SimulatedContract, period: int) -> None:
    bill = contract.bills[f"{CONTRACT_ID}:{period}:r0"]
    contract.add_fact(bill, FactType.PAYMENT, with_callback=True, amount_minor=TOTAL_MINOR)


def cancel_contract(contract: SimulatedContract, day: CancelAt) -> None:
    contract.state = cancel(contract.state, CONTRACT_ID, day, contract.now)
    contract.work()


@pytest.mark.parametrize("day", ["now", "period_end"])
def test_cancellation_bills_no_period_without_access(day: CancelAt) -> None:
    contract = monthly()
    contract.move_to(SOLD_AT + timedelta(days=100))
    cancel_contract(contract, day)
    contract.move_to(contract.now + timedelta(days=100))

    assert access_of(contract.state, contract.now).reason is AccessReason.CANCELLED
    assert periods(contract) == [0, 1]


def test_fixed_term_that_runs_out_bills_no_period_without_access() -> None:
    contract = monthly(fixed_periods=6)
    contract.move_to(SOLD_AT + timedelta(days=400))

    assert periods(contract) == [0, 1]


def test_payment_after_the_end_bills_no_period_without_access() -> None:
    contract = monthly(fixed_periods=6)
    contract.move_to(SOLD_AT + timedelta(days=400))
    pay(contract, 0)
    pay(contract, 1)

    assert periods(contract) == [0, 1]
    assert access_of(contract.state, contract.now).access is Access.OFF


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_whichever_bill_is_paid_first_the_same_periods_are_billed(order: tuple[int, int]) -> None:
    contract = monthly()
    contract.move_to(at(date(2027, 8, 1)))
    pay(contract, order[0])
    contract.move_to(at(date(2027, 8, 10)))
    pay(contract, order[1])

    assert access_of(contract.state, contract.now).access is Access.ON
    assert periods(contract) == [0, 1, 4]


def test_policy_that_bills_while_off_bills_every_period() -> None:
    contract = monthly(GRACE.model_copy(update={"renewal_while_off": RenewalWhileOff.BILL}))
    contract.move_to(at(date(2027, 7, 1)))
    cancel_contract(contract, "now")

    assert periods(contract) == [0, 1, 2, 3]


def test_payment_of_one_of_two_debts_does_not_move_since() -> None:
    contract = monthly()
    contract.move_to(at(date(2027, 6, 15)))
    before = access_of(contract.state, contract.now)
    pay(contract, 0)
    after = access_of(contract.state, contract.now)

    assert before.since == after.since == at(OFF_ON)
    assert len(before.blocking) == 2
    assert len(after.blocking) == 1


def test_policy_applied_to_open_bills_turns_access_off_at_the_change() -> None:
    contract = monthly(Policy(payment_days=30))
    changed_at = at(date(2028, 1, 9)) + timedelta(hours=10)
    contract.move_to(changed_at)
    contract.policy, contract.policy_version = GRACE, 2
    for bill in list(contract.bills.values()):
        bill.policy, bill.policy_version = GRACE, 2
        contract.store_facts(bill, [])

    access = access_of(contract.state, contract.now)
    assert (access.access, access.since) == (Access.OFF, changed_at)


def test_access_that_stayed_on_while_the_platform_failed_goes_off_when_the_bill_is_verified() -> None:
    contract = monthly()
    contract.platform_is_down = True
    contract.move_to(at(OFF_ON) + timedelta(minutes=3))
    contract.platform_is_down = False
    contract.move_to(at(OFF_ON) + timedelta(minutes=10))

    assert access_of(contract.state, contract.now).since == at(OFF_ON) + timedelta(minutes=6)


def test_later_end_gives_back_the_periods_that_an_earlier_end_took() -> None:
    contract = monthly(Policy(renewal_lead_days=14))
    contract.move_to(at(date(2027, 4, 10)))
    cancel_contract(contract, "period_end")
    withdrawn = [bill.expected_status() for bill in contract.bills.values() if bill.period == 1]
    cancel_contract(contract, date(2027, 5, 10))

    assert withdrawn == [BillStatus.VOID]
    assert [bill.revision for bill in contract.bills.values() if bill.period == 1] == [0, 1]
