"""A contract's calendar: which periods are billed, when, and when the contract ends."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from avtal.contracts.lifecycle.commands import cancel, revoke_cancellation
from avtal.contracts.lifecycle.state import ContractState
from avtal.contracts.periods import Interval, IntervalUnit, local_midnight
from avtal.contracts.schedule import (
    CancelAt,
    CommandRefused,
    Ending,
    EndReason,
    Schedule,
    bills_at,
    cancellation,
    due_periods,
    first_period_after,
    is_billed,
    next_renewal,
)

STOCKHOLM = "Europe/Stockholm"
ANCHOR = date(2027, 1, 31)
SOLD = datetime(2027, 1, 30, 9, tzinfo=UTC)
NOON = datetime(2027, 3, 10, 11, tzinfo=UTC)  # in period 1, from 28 February to 30 March
TODAY = date(2027, 3, 10)


def make_schedule(
    unit: IntervalUnit = IntervalUnit.MONTH, anchor: date = ANCHOR, fixed_periods: int | None = None
) -> Schedule:
    return Schedule(anchor=anchor, interval=Interval(unit=unit), fixed_periods=fixed_periods)


def make_state(schedule: Schedule) -> ContractState:
    return ContractState(schedule=schedule, sold_at=SOLD, ending=schedule.fixed_end())


def midnight(day: date) -> datetime:
    return local_midnight(day, STOCKHOLM)


def due_numbers(schedule: Schedule, now: datetime, first: int = 0, ending: Ending | None = None) -> list[int]:
    return [period.number for period in due_periods(schedule, first, ending, SOLD, now)]


# When bills are made.


def test_the_first_bill_is_due_at_the_sale_later_ones_at_their_start() -> None:
    schedule = make_schedule()

    assert bills_at(schedule, 0, SOLD) == SOLD
    assert bills_at(schedule, 1, SOLD) == datetime(2027, 2, 27, 23, tzinfo=UTC)
    assert bills_at(schedule, 2, SOLD) == datetime(2027, 3, 30, 22, tzinfo=UTC)  # in summer time


@pytest.mark.parametrize(
    ("lead_days", "now", "first"),
    [
        (0, SOLD, 1),  # the first period keeps the price of the sale
        (0, midnight(date(2027, 2, 28)) - timedelta(microseconds=1), 1),
        (0, midnight(date(2027, 2, 28)), 2),  # its bill is due now, however late it is made
        (0, NOON, 2),
        (14, midnight(date(2027, 2, 14)) - timedelta(microseconds=1), 1),
        (14, midnight(date(2027, 2, 14)), 2),
        (90, SOLD, 4),
    ],
)
def test_new_lines_hold_from_the_first_period_billed_later(lead_days: int, now: datetime, first: int) -> None:
    assert first_period_after(make_schedule(), lead_days, now) == first


def test_a_bill_is_due_from_its_billing_instant() -> None:
    schedule, starts_at = make_schedule(), midnight(date(2027, 2, 28))

    assert due_numbers(schedule, SOLD) == [0]
    assert due_numbers(schedule, starts_at - timedelta(microseconds=1)) == [0]
    assert due_numbers(schedule, starts_at) == [0, 1]
    assert due_numbers(schedule, starts_at, first=2) == []


def test_every_missed_bill_is_still_due() -> None:
    assert due_numbers(make_schedule(IntervalUnit.WEEK), SOLD + timedelta(days=30), first=1) == [1, 2, 3, 4]


def test_a_past_start_date_bills_all_started_periods_at_the_sale() -> None:
    schedule = make_schedule(IntervalUnit.WEEK, anchor=date(2027, 1, 10))

    assert due_numbers(schedule, SOLD) == [0, 1, 2]


@pytest.mark.parametrize(
    ("ends_on", "numbers"),
    [
        (date(2027, 3, 1), [0, 1]),
        (date(2027, 3, 31), [0, 1]),
        (date(2027, 4, 1), [0, 1, 2]),
        (ANCHOR, []),
    ],
)
def test_no_period_that_starts_at_or_after_the_end_is_billed(ends_on: date, numbers: list[int]) -> None:
    ending = Ending(on=ends_on, at=midnight(ends_on), reason=EndReason.CANCELLED)

    assert due_numbers(make_schedule(), midnight(date(2029, 1, 1)), ending=ending) == numbers


def test_a_fixed_term_bills_exactly_its_periods() -> None:
    schedule = make_schedule(fixed_periods=3)
    ending = schedule.fixed_end()

    assert ending == Ending(on=date(2027, 4, 30), at=datetime(2027, 4, 29, 22, tzinfo=UTC), reason=EndReason.FIXED_TERM)
    assert due_numbers(schedule, midnight(date(2029, 1, 1)), ending=ending) == [0, 1, 2]
    assert make_schedule().fixed_end() is None


def test_the_next_renewal_is_the_next_period_to_be_billed() -> None:
    endless, fixed = make_schedule(), make_schedule(fixed_periods=2)
    end = fixed.fixed_end()
    assert end is not None

    assert next_renewal(endless, None, NOON) == date(2027, 3, 31)
    assert next_renewal(endless, None, SOLD) == date(2027, 2, 28)
    assert next_renewal(fixed, end, SOLD) == date(2027, 2, 28)
    assert next_renewal(fixed, end, NOON) is None
    assert next_renewal(fixed, end, end.at) is None


def test_before_the_start_the_first_period_is_the_current_one() -> None:
    schedule = make_schedule()

    assert schedule.period_at(SOLD) == schedule.period(0)
    assert schedule.period_at(midnight(date(2027, 2, 28))).number == 1


# When a contract is cancelled.


@pytest.mark.parametrize(
    ("at", "on", "instant"),
    [
        ("period_end", date(2027, 3, 31), datetime(2027, 3, 30, 22, tzinfo=UTC)),
        (date(2027, 3, 11), date(2027, 3, 11), datetime(2027, 3, 10, 23, tzinfo=UTC)),
        (date(2028, 6, 1), date(2028, 6, 1), datetime(2028, 5, 31, 22, tzinfo=UTC)),
        ("now", TODAY, NOON),
        (TODAY, TODAY, NOON),
    ],
)
def test_a_cancellation_ends_the_contract_on_the_requested_day(at: CancelAt, on: date, instant: datetime) -> None:
    found = cancellation(make_schedule(), None, at, NOON)

    assert found == Ending(on=on, at=instant, reason=EndReason.CANCELLED)


def test_before_the_start_period_end_means_the_first_periods_end() -> None:
    assert cancellation(make_schedule(), None, "period_end", SOLD).on == date(2027, 2, 28)


def test_today_is_the_day_in_the_contracts_time_zone() -> None:
    """At 23:30 UTC it is already tomorrow in Stockholm."""
    late = datetime(2027, 3, 9, 23, 30, tzinfo=UTC)

    assert cancellation(make_schedule(), None, TODAY, late).at == late
    with pytest.raises(CommandRefused, match="has passed"):
        cancellation(make_schedule(), None, date(2027, 3, 9), late)


def test_a_cancellation_for_a_past_day_is_refused() -> None:
    with pytest.raises(CommandRefused, match="2027-03-09 has passed; give today, 2027-03-10, or a later day"):
        cancellation(make_schedule(), None, date(2027, 3, 9), NOON)


@pytest.mark.parametrize("at", ["period_end", "now", TODAY, date(2027, 5, 1)])
def test_cancelling_twice_on_the_same_terms_changes_nothing(at: CancelAt) -> None:
    once = cancellation(make_schedule(), None, at, NOON)

    assert cancellation(make_schedule(), once, at, NOON) == once
    assert is_billed(make_schedule(), 2, once) == (at == date(2027, 5, 1))


@pytest.mark.parametrize("at", ["now", TODAY])
def test_a_second_immediate_cancellation_keeps_the_first_end(at: Literal["now"] | date) -> None:
    once = cancellation(make_schedule(), None, at, NOON)
    later = NOON + timedelta(days=100)

    assert cancellation(make_schedule(), once, at, later) == cancellation(make_schedule(), once, "now", later) == once


def test_a_future_end_can_be_moved() -> None:
    later = cancellation(make_schedule(), None, date(2027, 6, 1), NOON)

    assert cancellation(make_schedule(), later, "period_end", NOON).on == date(2027, 3, 31)


@pytest.mark.parametrize("at", ["period_end", date(2028, 1, 1)])
def test_an_ended_cancelled_contract_cannot_end_at_another_time(at: CancelAt) -> None:
    ended = cancellation(make_schedule(), None, "now", NOON)

    with pytest.raises(CommandRefused, match="has ended already, on 2027-03-10"):
        cancellation(make_schedule(), ended, at, NOON)


@pytest.mark.parametrize("at", ["period_end", "now", date(2027, 4, 30)])
def test_a_completed_fixed_term_cannot_be_cancelled(at: CancelAt) -> None:
    schedule = make_schedule(fixed_periods=3)

    with pytest.raises(CommandRefused, match="has ended already, on 2027-04-30"):
        cancellation(schedule, schedule.fixed_end(), at, midnight(date(2027, 4, 30)))


def test_a_fixed_term_can_end_earlier_but_not_later() -> None:
    schedule = make_schedule(fixed_periods=3)
    fixed = schedule.fixed_end()

    assert cancellation(schedule, fixed, date(2027, 4, 30), NOON).on == date(2027, 4, 30)
    with pytest.raises(CommandRefused, match="ends on 2027-04-30 anyway"):
        cancellation(schedule, fixed, date(2027, 5, 1), NOON)


@pytest.mark.parametrize("fixed_periods", [None, 3])
def test_revoking_a_cancellation_restores_the_original_end(fixed_periods: int | None) -> None:
    schedule = make_schedule(fixed_periods=fixed_periods)
    before = make_state(schedule)

    assert (
        revoke_cancellation(cancel(before, "c-1", "period_end", NOON), "c-1", NOON)
        == revoke_cancellation(before, "c-1", NOON)
        == before
    )


def test_an_ended_contracts_cancellation_cannot_be_revoked() -> None:
    ended = cancel(make_state(make_schedule()), "c-1", "now", NOON)

    with pytest.raises(CommandRefused, match="ended on 2027-03-10; sell a new one"):
        revoke_cancellation(ended, "c-1", NOON)


def test_a_cancellation_accepts_only_the_documented_values() -> None:
    class Body(Ending):
        requested: CancelAt

    fields = {"on": "2027-01-01", "at": "2027-01-01T00:00:00Z", "reason": "cancelled"}

    assert Body.model_validate(fields | {"requested": "2027-01-01"}).requested == date(2027, 1, 1)
    with pytest.raises(ValidationError):
        Body.model_validate(fields | {"requested": "soon"})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    unit=st.sampled_from(IntervalUnit),
    fixed_periods=st.none() | st.integers(1, 40),
    hours=st.integers(0, 24 * 400),
    days=st.integers(0, 500),
)
def test_a_cancelled_contract_never_bills_a_period_after_its_end(
    unit: IntervalUnit, fixed_periods: int | None, hours: int, days: int
) -> None:
    schedule = make_schedule(unit, fixed_periods=fixed_periods)
    now = SOLD + timedelta(hours=hours)
    try:
        ending = cancellation(schedule, schedule.fixed_end(), TODAY + timedelta(days=days), now)
    except CommandRefused:
        reject()  # hypothesis fails if it rejects too many
    billed = list(due_periods(schedule, 0, ending, SOLD, now + timedelta(days=2000)))

    starts = [schedule.period(number).start for number in range(len(billed) + 1)]
    assert [period.start for period in billed] == starts[:-1]
    assert [start < ending.on for start in starts] == [True] * len(billed) + [False]
