"""A contract's calendar: which periods are billed and when, and when it is over."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
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


def test_the_first_bill_is_made_at_the_sale_and_every_later_one_as_its_period_begins() -> None:
    schedule = make_schedule()

    assert bills_at(schedule, 0, SOLD) == SOLD
    assert bills_at(schedule, 1, SOLD) == datetime(2027, 2, 27, 23, tzinfo=UTC)
    assert bills_at(schedule, 2, SOLD) == datetime(2027, 3, 30, 22, tzinfo=UTC)  # in summer time


def test_a_bill_is_due_from_its_instant_on() -> None:
    schedule, begins = make_schedule(), midnight(date(2027, 2, 28))

    assert due_numbers(schedule, SOLD) == [0]
    assert due_numbers(schedule, begins - timedelta(microseconds=1)) == [0]
    assert due_numbers(schedule, begins) == [0, 1]
    assert due_numbers(schedule, begins, first=2) == []


def test_whoever_comes_late_makes_every_bill_that_was_missed() -> None:
    assert due_numbers(make_schedule(IntervalUnit.WEEK), SOLD + timedelta(days=30), first=1) == [1, 2, 3, 4]


def test_a_start_in_the_past_bills_the_periods_that_have_begun_at_the_sale() -> None:
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
def test_no_bill_is_made_for_a_period_that_begins_at_the_end_or_after_it(ends_on: date, numbers: list[int]) -> None:
    ending = Ending(on=ends_on, at=midnight(ends_on), reason=EndReason.CANCELLED)

    assert due_numbers(make_schedule(), midnight(date(2029, 1, 1)), ending=ending) == numbers


def test_a_fixed_number_of_periods_is_billed_and_no_more() -> None:
    schedule = make_schedule(fixed_periods=3)
    ending = schedule.fixed_end()

    assert ending == Ending(on=date(2027, 4, 30), at=datetime(2027, 4, 29, 22, tzinfo=UTC), reason=EndReason.FIXED_TERM)
    assert due_numbers(schedule, midnight(date(2029, 1, 1)), ending=ending) == [0, 1, 2]
    assert make_schedule().fixed_end() is None


def test_the_next_renewal_is_the_next_period_that_will_be_billed() -> None:
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
def test_a_contract_ends_when_it_was_asked_to(at: CancelAt, on: date, instant: datetime) -> None:
    found = cancellation(make_schedule(), None, at, NOON)

    assert found == Ending(on=on, at=instant, reason=EndReason.CANCELLED)


def test_before_the_start_period_end_is_the_end_of_the_first_period() -> None:
    assert cancellation(make_schedule(), None, "period_end", SOLD).on == date(2027, 2, 28)


def test_today_is_the_day_on_the_contract_s_own_wall() -> None:
    """At 23:30 UTC it is tomorrow in Stockholm."""
    late = datetime(2027, 3, 9, 23, 30, tzinfo=UTC)

    assert cancellation(make_schedule(), None, TODAY, late).at == late
    with pytest.raises(CommandRefused, match="has passed"):
        cancellation(make_schedule(), None, date(2027, 3, 9), late)


def test_a_day_that_has_passed_is_refused() -> None:
    with pytest.raises(CommandRefused, match="2027-03-09 has passed; give today, 2027-03-10, or a later day"):
        cancellation(make_schedule(), None, date(2027, 3, 9), NOON)


@pytest.mark.parametrize("at", ["period_end", "now", TODAY, date(2027, 5, 1)])
def test_cancelling_again_in_the_same_way_changes_nothing(at: CancelAt) -> None:
    once = cancellation(make_schedule(), None, at, NOON)

    assert cancellation(make_schedule(), once, at, NOON) == once
    assert is_billed(make_schedule(), 2, once) == (at == date(2027, 5, 1))


@pytest.mark.parametrize("at", ["now", TODAY])
def test_cancelling_now_again_later_keeps_the_first_end(at: Literal["now"] | date) -> None:
    once = cancellation(make_schedule(), None, at, NOON)
    later = NOON + timedelta(days=100)

    assert cancellation(make_schedule(), once, at, later) == cancellation(make_schedule(), once, "now", later) == once


def test_the_end_can_be_moved_while_it_has_not_come() -> None:
    later = cancellation(make_schedule(), None, date(2027, 6, 1), NOON)

    assert cancellation(make_schedule(), later, "period_end", NOON).on == date(2027, 3, 31)


@pytest.mark.parametrize("at", ["period_end", date(2028, 1, 1)])
def test_a_contract_that_was_cancelled_and_is_over_can_not_end_at_another_time(at: CancelAt) -> None:
    over = cancellation(make_schedule(), None, "now", NOON)

    with pytest.raises(CommandRefused, match="has ended already, on 2027-03-10"):
        cancellation(make_schedule(), over, at, NOON)


@pytest.mark.parametrize("at", ["period_end", "now", date(2027, 4, 30)])
def test_a_contract_whose_periods_are_over_can_not_be_cancelled(at: CancelAt) -> None:
    schedule = make_schedule(fixed_periods=3)

    with pytest.raises(CommandRefused, match="has ended already, on 2027-04-30"):
        cancellation(schedule, schedule.fixed_end(), at, midnight(date(2027, 4, 30)))


def test_a_fixed_contract_can_end_earlier_but_not_later() -> None:
    schedule = make_schedule(fixed_periods=3)
    fixed = schedule.fixed_end()

    assert cancellation(schedule, fixed, date(2027, 4, 30), NOON).on == date(2027, 4, 30)
    with pytest.raises(CommandRefused, match="ends by itself on 2027-04-30"):
        cancellation(schedule, fixed, date(2027, 5, 1), NOON)


@pytest.mark.parametrize("fixed_periods", [None, 3])
def test_revoking_gives_back_the_end_that_was_sold(fixed_periods: int | None) -> None:
    schedule = make_schedule(fixed_periods=fixed_periods)
    before = make_state(schedule)

    assert (
        revoke_cancellation(cancel(before, "period_end", NOON), "c-1", NOON)
        == revoke_cancellation(before, "c-1", NOON)
        == before
    )


def test_an_ended_contract_is_not_revived() -> None:
    ended = cancel(make_state(make_schedule()), "now", NOON)

    with pytest.raises(CommandRefused, match="ended on 2027-03-10; sell a new one"):
        revoke_cancellation(ended, "c-1", NOON)


def test_a_contract_can_be_cancelled_by_the_words_of_the_interface_alone() -> None:
    class Body(Ending):
        asked: CancelAt

    fields = {"on": "2027-01-01", "at": "2027-01-01T00:00:00Z", "reason": "cancelled"}

    assert Body.model_validate(fields | {"asked": "2027-01-01"}).asked == date(2027, 1, 1)
    with pytest.raises(ValidationError):
        Body.model_validate(fields | {"asked": "soon"})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    unit=st.sampled_from(IntervalUnit),
    fixed_periods=st.none() | st.integers(1, 40),
    hours=st.integers(0, 24 * 400),
    days=st.integers(0, 500),
)
def test_a_cancelled_contract_never_bills_what_begins_after_its_end(
    unit: IntervalUnit, fixed_periods: int | None, hours: int, days: int
) -> None:
    schedule = make_schedule(unit, fixed_periods=fixed_periods)
    now = SOLD + timedelta(hours=hours)
    try:
        ending = cancellation(schedule, schedule.fixed_end(), TODAY + timedelta(days=days), now)
    except CommandRefused:
        return
    billed = list(due_periods(schedule, 0, ending, SOLD, now + timedelta(days=2000)))

    assert all(period.start < ending.on for period in billed)
    assert schedule.period(len(billed)).start >= ending.on
