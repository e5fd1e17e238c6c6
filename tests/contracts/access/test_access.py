"""Access by the contract's calendar: its start, its end, its next change, and the explanation."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from avtal.contracts.access.access import Access, AccessReason, access_at
from avtal.contracts.access.explanation import explain
from avtal.contracts.periods import Interval, IntervalUnit, local_midnight
from avtal.contracts.schedule import CancelAt, CommandRefused, Ending, EndReason, Schedule, cancellation

STOCKHOLM = "Europe/Stockholm"
START = date(2027, 3, 28)  # the night on which summer time starts
SOLD = datetime(2027, 3, 20, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def make_schedule(anchor: date = START, fixed_periods: int | None = None) -> Schedule:
    return Schedule(anchor=anchor, interval=Interval(unit=IntervalUnit.MONTH), fixed_periods=fixed_periods)


def ending_on(on: date, reason: EndReason = EndReason.CANCELLED) -> Ending:
    return Ending(on=on, at=local_midnight(on, STOCKHOLM), reason=reason)


def explanation(schedule: Schedule, ending: Ending | None, now: datetime) -> str:
    return explain(access_at(schedule, SOLD, ending, now), schedule, ending, {})


def test_access_starts_at_local_midnight_of_the_start_date() -> None:
    starts_at = datetime(2027, 3, 27, 23, tzinfo=UTC)
    before, after = (access_at(make_schedule(), SOLD, None, at) for at in (starts_at - MOMENT, starts_at))

    assert (before.access, before.reason, before.since) == (Access.OFF, AccessReason.NOT_STARTED, SOLD)
    assert (after.access, after.reason, after.since) == (Access.ON, AccessReason.ACTIVE, starts_at)
    assert after.next_change is None


def test_a_past_start_date_gives_access_from_the_sale() -> None:
    found = access_at(make_schedule(date(2027, 3, 1)), SOLD, None, SOLD)

    assert (found.access, found.since) == (Access.ON, SOLD)


@pytest.mark.parametrize(
    ("on", "goes_off"),
    [
        (date(2027, 3, 29), datetime(2027, 3, 28, 22, tzinfo=UTC)),
        (date(2027, 10, 31), datetime(2027, 10, 30, 22, tzinfo=UTC)),
        (date(2027, 11, 1), datetime(2027, 10, 31, 23, tzinfo=UTC)),
    ],
)
def test_access_ends_at_local_midnight_in_summer_and_winter_time(on: date, goes_off: datetime) -> None:
    last, ended = (access_at(make_schedule(), SOLD, ending_on(on), at) for at in (goes_off - MOMENT, goes_off))

    assert (last.access, last.reason) == (Access.ON, AccessReason.ACTIVE)
    assert (ended.access, ended.reason, ended.since) == (Access.OFF, AccessReason.CANCELLED, goes_off)


def test_a_completed_fixed_term_is_ended_not_cancelled() -> None:
    schedule = make_schedule(fixed_periods=2)
    ending = schedule.fixed_end()
    assert ending is not None

    ended = access_at(schedule, SOLD, ending, ending.at)

    assert (ending.on, ended.reason) == (date(2027, 5, 28), AccessReason.ENDED)


def test_a_contract_cancelled_before_its_start_never_gives_access() -> None:
    before = access_at(make_schedule(), SOLD, ending_on(START), SOLD)
    after = access_at(make_schedule(), SOLD, ending_on(START), ending_on(START).at)

    assert (before.reason, before.next_change) == (AccessReason.NOT_STARTED, None)
    assert (after.access, after.reason) == (Access.OFF, AccessReason.CANCELLED)


def cancelled_or_rejected(schedule: Schedule, ending: Ending | None, at: CancelAt, now: datetime) -> Ending:
    """Rejects the example if the command is refused; hypothesis fails if it rejects too many."""
    try:
        return cancellation(schedule, ending, at, now)
    except CommandRefused:
        reject()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    start_days=st.integers(-31, 60),
    fixed_periods=st.none() | st.integers(1, 3),
    at=st.none() | st.sampled_from(["now", "period_end"]) | st.dates(date(2027, 3, 20), date(2027, 7, 1)),
    cancel_hours=st.integers(0, 24 * 60),
    hours=st.integers(0, 24 * 120),
)
def test_access_changes_at_next_change_and_not_before(
    start_days: int, fixed_periods: int | None, at: CancelAt | None, cancel_hours: int, hours: int
) -> None:
    schedule = make_schedule(START + timedelta(days=start_days), fixed_periods)
    ending = schedule.fixed_end()
    if at is not None:
        ending = cancelled_or_rejected(schedule, ending, at, SOLD + timedelta(hours=cancel_hours))
    now = SOLD + timedelta(hours=hours)
    found = access_at(schedule, SOLD, ending, now)
    change = found.next_change
    assert f"Access is {found.access}" in explain(found, schedule, ending, {})
    assert found.since <= now
    if change is None:
        assert access_at(schedule, SOLD, ending, now + timedelta(days=999)).access is found.access
        return
    until, then = (access_at(schedule, SOLD, ending, instant) for instant in (change.at - MOMENT, change.at))

    assert change.at > now
    assert until == found
    assert (then.access, then.reason, then.since) == (change.to, change.because, change.at)
    assert then.access is not found.access


@pytest.mark.parametrize(
    ("ending", "at", "sentence"),
    [
        (None, SOLD, "Access is off: the contract starts on 2027-03-28 and turns it on then."),
        (
            ending_on(START),
            SOLD,
            "Access is off: the contract was cancelled before its start on 2027-03-28.",
        ),
        (
            None,
            SOLD + timedelta(days=30),
            "Access is on: the contract runs until further notice. A cancellation would end it.",
        ),
        (
            ending_on(date(2027, 5, 1)),
            SOLD + timedelta(days=30),
            "Access is on: the contract is cancelled from 2027-05-01. Revoking the cancellation would keep it on.",
        ),
        (
            ending_on(date(2027, 5, 1)),
            SOLD + timedelta(days=60),
            "Access is off: the contract was cancelled, and 2027-05-01 was its first day without access.",
        ),
    ],
)
def test_one_sentence_explains_access(ending: Ending | None, at: datetime, sentence: str) -> None:
    assert explanation(make_schedule(), ending, at) == sentence


def test_one_sentence_explains_a_fixed_term() -> None:
    schedule = make_schedule(fixed_periods=2)
    ending = schedule.fixed_end()

    assert explanation(schedule, ending, SOLD + timedelta(days=30)) == (
        "Access is on: the contract runs for 2 periods, until 2027-05-28."
    )
    assert explanation(schedule, ending, SOLD + timedelta(days=90)) == (
        "Access is off: the contract's 2 periods ended on 2027-05-28."
    )
