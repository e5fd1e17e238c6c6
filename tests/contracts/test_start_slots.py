"""Start slots: renewals due at the same instant start at a limited rate."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from avtal.contracts.start_slots import DELAY_SECONDS_MAX, UNDELAYED_SECONDS, slot_hour, start_slot_seconds

MIDNIGHT = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
rates = st.floats(0.1, 1000.0)


def test_small_accounts_renew_immediately_and_large_ones_at_ten_a_second() -> None:
    waits = [start_slot_seconds(place, 10.0) for place in range(10_000)]

    assert waits[:30] == [0] * 30
    assert waits[30:50] == [1] * 10 + [2] * 10
    assert waits[-1] == 997


@given(st.integers(0, 1_000_000), rates)
def test_no_renewal_waits_three_hours(place: int, per_second: float) -> None:
    """After the longest work window, 20 hours, it still starts on the same day."""
    assert timedelta(0) <= timedelta(seconds=start_slot_seconds(place, per_second)) < timedelta(hours=3)


@given(rates, st.integers(0, DELAY_SECONDS_MAX - 1))
def test_no_second_starts_more_renewals_than_the_rate(per_second: float, second: int) -> None:
    first = int((second - 1 + UNDELAYED_SECONDS) * per_second)
    around = range(max(0, first - 3), first + int(per_second) + 3)
    started = sum(start_slot_seconds(place, per_second) == second for place in around)

    assert second == 0 or started <= per_second + 1


def test_start_slots_are_counted_per_hour() -> None:
    assert slot_hour(MIDNIGHT + timedelta(minutes=59, seconds=59)) == MIDNIGHT
    assert slot_hour(MIDNIGHT + timedelta(hours=1)) != MIDNIGHT
