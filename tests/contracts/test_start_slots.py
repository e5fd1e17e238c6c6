"""Renewals that fall due together begin in turns."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from avtal.contracts.start_slots import AT_ONCE_SECONDS, WAIT_SECONDS_MAX, hour_of, start_slot_seconds

MIDNIGHT = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
rates = st.floats(0.1, 1000.0)


def test_a_small_account_s_renewals_begin_at_once_and_a_big_one_s_ten_a_second() -> None:
    waits = [start_slot_seconds(place, 10.0) for place in range(10_000)]

    assert waits[:30] == [0] * 30
    assert waits[30:50] == [1] * 10 + [2] * 10
    assert waits[-1] == 997


@given(st.integers(0, 1_000_000), rates)
def test_nobody_waits_until_the_next_day(place: int, per_second: float) -> None:
    """A window of 20 hours before it is the widest."""
    assert timedelta(0) <= timedelta(seconds=start_slot_seconds(place, per_second)) < timedelta(hours=3)


@given(rates, st.integers(0, WAIT_SECONDS_MAX - 1))
def test_in_each_second_no_more_begin_than_the_rate_allows(per_second: float, second: int) -> None:
    first = int((second - 1 + AT_ONCE_SECONDS) * per_second)
    around = range(max(0, first - 3), first + int(per_second) + 3)
    began = sum(start_slot_seconds(place, per_second) == second for place in around)

    assert second == 0 or began <= per_second + 1


def test_the_queue_is_that_of_the_hour() -> None:
    assert hour_of(MIDNIGHT + timedelta(minutes=59, seconds=59)) == MIDNIGHT
    assert hour_of(MIDNIGHT + timedelta(hours=1)) != MIDNIGHT
