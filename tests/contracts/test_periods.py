"""Billing periods and the civil calendar, by examples and by properties."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from avtal.contracts.periods import (
    Interval,
    IntervalUnit,
    boundary,
    civil_day,
    is_zone,
    local_midnight,
    period,
    period_of,
)

MONTHLY = Interval(unit=IntervalUnit.MONTH, count=1)
QUARTERLY = Interval(unit=IntervalUnit.MONTH, count=3)
WEEKLY = Interval(unit=IntervalUnit.WEEK, count=1)
YEARLY = Interval(unit=IntervalUnit.YEAR, count=1)

WITHOUT_SOME_MIDNIGHTS = ("America/Santiago", "America/Havana", "Asia/Beirut")
ZONES = ("Europe/Stockholm", "Europe/Oslo", "UTC", *WITHOUT_SOME_MIDNIGHTS)

tiling = settings(max_examples=60, deadline=None, derandomize=True)
quick = settings(max_examples=1000, deadline=None, derandomize=True)

anchors = st.dates(date(1990, 1, 1), date(2060, 12, 31))
intervals = st.builds(Interval, unit=st.sampled_from(IntervalUnit), count=st.integers(1, 12))


def days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def boundaries(anchor: date, interval: Interval, count: int) -> list[str]:
    return [boundary(anchor, interval, n).isoformat() for n in range(count)]


def test_a_period_from_the_31st_returns_to_the_31st_after_february() -> None:
    found = boundaries(date(2027, 1, 31), MONTHLY, 15)

    assert found[:5] == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    assert found[5:7] == ["2027-06-30", "2027-07-31"]
    assert found[12:] == ["2028-01-31", "2028-02-29", "2028-03-31"]


def test_every_boundary_is_counted_from_the_anchor() -> None:
    chained = {"2027-03-28", "2027-04-28"}

    assert chained.isdisjoint(boundaries(date(2027, 1, 31), MONTHLY, 480))


def test_29_february_returns_in_leap_years() -> None:
    found = boundaries(date(2028, 2, 29), YEARLY, 5)

    assert found == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


def test_quarters_from_the_30th_are_shortened_in_february_only() -> None:
    found = boundaries(date(2027, 11, 30), QUARTERLY, 6)

    assert found == ["2027-11-30", "2028-02-29", "2028-05-30", "2028-08-30", "2028-11-30", "2029-02-28"]


def test_week_and_day_intervals_are_counted_in_days() -> None:
    fortnight = Interval(unit=IntervalUnit.WEEK, count=2)
    ten_days = Interval(unit=IntervalUnit.DAY, count=10)

    assert boundaries(date(2028, 2, 20), fortnight, 3) == ["2028-02-20", "2028-03-05", "2028-03-19"]
    assert boundaries(date(2028, 2, 20), ten_days, 3) == ["2028-02-20", "2028-03-01", "2028-03-11"]


def test_the_last_day_of_a_period_precedes_the_next_period() -> None:
    first = period(date(2027, 1, 31), MONTHLY, 0)

    assert (first.start, first.last_day, first.end) == (
        date(2027, 1, 31),
        date(2027, 2, 27),
        date(2027, 2, 28),
    )


@tiling
@given(anchor=anchors, interval=intervals)
def test_periods_tile_without_gap_or_overlap(anchor: date, interval: Interval) -> None:
    """PER-7. Each period starts where the one before ends; each end belongs to the next alone."""
    before = period(anchor, interval, 0)
    assert before.start == anchor

    for n in range(1, 481):
        now = period(anchor, interval, n)

        assert before.start < before.end == now.start
        assert period_of(anchor, interval, before.last_day) == before
        assert period_of(anchor, interval, now.start) == now
        before = now


@quick
@given(anchor=anchors, interval=intervals, offset=st.integers(0, 40_000))
def test_every_day_from_the_anchor_lies_in_one_period(anchor: date, interval: Interval, offset: int) -> None:
    day = anchor + timedelta(days=offset)
    found = period_of(anchor, interval, day)

    assert found is not None
    assert found.start <= day < found.end
    assert found == period(anchor, interval, found.number)


def test_no_period_lies_before_the_anchor() -> None:
    assert period_of(date(2027, 1, 31), MONTHLY, date(2027, 1, 30)) is None
    with pytest.raises(ValueError, match="counted from 0"):
        boundary(date(2027, 1, 31), MONTHLY, -1)


@pytest.mark.parametrize("unit", IntervalUnit)
@pytest.mark.parametrize("n", [10_000_000, 10**30])
def test_a_period_after_the_calendars_end_is_an_error(unit: IntervalUnit, n: int) -> None:
    interval = Interval(unit=unit, count=1)

    with pytest.raises(OverflowError, match="calendar's end"):
        boundary(date(2027, 1, 31), interval, n)


def test_the_calendars_last_whole_period_is_found() -> None:
    last = period_of(date(2027, 1, 31), MONTHLY, date(9999, 12, 30))

    assert last is not None
    assert last.end == date(9999, 12, 31)
    with pytest.raises(OverflowError):
        period_of(date(2027, 1, 31), MONTHLY, date(9999, 12, 31))


@pytest.mark.parametrize("count", [0, -1, 1000, 1.0, True])
def test_an_interval_count_is_a_whole_number_from_1_to_999(count: object) -> None:
    with pytest.raises(ValidationError):
        Interval.model_validate({"unit": "month", "count": count})


@pytest.mark.parametrize(
    ("day", "starts_at", "hours"),
    [
        ("2027-03-28", "2027-03-27T23:00Z", 23),
        ("2027-03-29", "2027-03-28T22:00Z", 24),
        ("2027-10-31", "2027-10-30T22:00Z", 25),
        ("2027-11-01", "2027-10-31T23:00Z", 24),
    ],
)
def test_a_day_in_stockholm_has_23_to_25_hours(day: str, starts_at: str, hours: int) -> None:
    civil = date.fromisoformat(day)
    start = local_midnight(civil, "Europe/Stockholm")
    end = local_midnight(civil + timedelta(days=1), "Europe/Stockholm")

    assert start == datetime.fromisoformat(starts_at)
    assert start.tzinfo is UTC
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize("zone", ZONES)
def test_every_midnight_of_forty_years_separates_two_days(zone: str) -> None:
    before = local_midnight(date(2000, 1, 1), zone)
    forty_years = list(days(date(2000, 1, 2), date(2040, 1, 1)))
    assert len(forty_years) == 14_610

    for day in forty_years:
        start = local_midnight(day, zone)

        assert start > before
        assert civil_day(start, zone) == day
        assert civil_day(start - timedelta(microseconds=1), zone) == day - timedelta(days=1)
        before = start


@pytest.mark.parametrize(
    ("zone", "day", "starts_at"),
    [
        ("America/Santiago", "2021-09-05", "2021-09-05T04:00Z"),
        ("America/Havana", "2021-03-14", "2021-03-14T05:00Z"),
        ("Asia/Beirut", "2021-03-28", "2021-03-27T22:00Z"),
    ],
)
def test_a_day_without_midnight_starts_at_one_o_clock(zone: str, day: str, starts_at: str) -> None:
    start = local_midnight(date.fromisoformat(day), zone)

    assert start == datetime.fromisoformat(starts_at)
    assert start.astimezone(ZoneInfo(zone)).time() == time(1)


def test_a_repeated_midnight_counts_once_at_the_first() -> None:
    """Havana, 7 November 2021: at 01:00 the clocks went back to 00:00."""
    first = datetime(2021, 11, 7, 4, tzinfo=UTC)
    second = first + timedelta(hours=1)

    assert local_midnight(date(2021, 11, 7), "America/Havana") == first
    assert civil_day(second, "America/Havana") == date(2021, 11, 7)


def test_a_midnight_inside_a_clock_change_becomes_its_end() -> None:
    """Toronto, 30 March 1919: from 23:30 the clocks jumped to 00:30."""
    assert local_midnight(date(1919, 3, 31), "America/Toronto") == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


def test_a_skipped_day_starts_where_the_next_one_does() -> None:
    """Samoa skipped 30 December 2011."""
    missing = local_midnight(date(2011, 12, 30), "Pacific/Apia")

    assert missing == local_midnight(date(2011, 12, 31), "Pacific/Apia")
    assert civil_day(missing, "Pacific/Apia") == date(2011, 12, 31)


def test_a_civil_day_needs_an_instant_with_a_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        civil_day(datetime(2027, 3, 28, 12), "Europe/Stockholm")  # noqa: DTZ001 - it must be refused


def test_only_canonical_zone_names_are_accepted() -> None:
    refused = ("", "Europe", "Sweden", "../etc/passwd", "localtime", "posix/UTC", "europe/stockholm", "a\0b")

    assert [zone for zone in (*ZONES, *refused) if is_zone(zone)] == [*ZONES]
