"""Held renewals: which periods are billed after access is restored."""

from datetime import UTC, date, datetime

from avtal.contracts.bills.bill import FactType
from avtal.contracts.lifecycle.state import SkippedPeriods
from avtal.contracts.periods import Interval, IntervalUnit
from avtal.contracts.policy import Policy
from avtal.contracts.schedule import Schedule
from tests.contracts.lifecycle.simulated_contract import TOTAL_MINOR, SimulatedContract

WEEKLY = Schedule(anchor=date(2027, 3, 22), interval=Interval(unit=IntervalUnit.WEEK))
FIFTH_WEEK = datetime(2027, 4, 28, 12, tzinfo=UTC)


def billed_periods(contract: SimulatedContract) -> list[int]:
    return [bill.period for bill in contract.bills.values()]


def pay_newest_bill(contract: SimulatedContract) -> None:
    bill = list(contract.bills.values())[-1]
    contract.add_fact(bill, FactType.PAYMENT, with_callback=True, amount_minor=TOTAL_MINOR)


def test_held_periods_are_billed_later_and_periods_without_access_never() -> None:
    """Access was on in periods 0 to 2, and off in 3 and 4. One open bill at a time is allowed."""
    contract = SimulatedContract(WEEKLY, Policy(payment_days=17, grace_days=5, max_open_bills=1))
    contract.move_to(FIFTH_WEEK)
    billed = [billed_periods(contract)]
    for _ in range(3):
        pay_newest_bill(contract)
        billed.append(billed_periods(contract))

    assert billed == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 5]]
    assert contract.state.skipped_periods == (SkippedPeriods(first=3, last=4),)
