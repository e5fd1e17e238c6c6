"""The explanation of access in each situation and both languages: never an error, never a contradiction."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from avtal.contracts.access.access import Access, AccessNow, AccessReason, access_at, block_of
from avtal.contracts.access.explanation import TEXTS, Language, explain
from avtal.contracts.bills.bill import BillSnapshot, BillStatus
from avtal.contracts.periods import Interval, IntervalUnit, local_midnight
from avtal.contracts.policy import OnLoss
from avtal.contracts.schedule import Ending, EndReason, Schedule

ZONE = "Europe/Stockholm"
SOLD = datetime(2027, 1, 10, 9, tzinfo=UTC)
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SCHEDULE = Schedule(anchor=date(2027, 1, 10), interval=Interval(unit=IntervalUnit.MONTH), zone=ZONE)
BEGINNINGS = {
    Language.ENGLISH: ("Access is on", "Access is off"),
    Language.SWEDISH: ("Åtkomsten är på", "Åtkomsten är av"),
}


def bill(status: BillStatus = BillStatus.OPEN, number: int = 0, **more: object) -> BillSnapshot:
    return BillSnapshot.model_validate(
        {
            "bill_id": f"c-1:{number}:r0",
            "period": number,
            "status": status,
            "due_date": date(2027, 2, 1),
            "remaining_minor": 395_00,
            "policy_version": 3,
        }
        | more
    )


def explanation(*bills: BillSnapshot, ending: Ending | None = None, language: Language = Language.ENGLISH) -> str:
    blocks = [block for one in bills if (block := block_of(one, ZONE))]
    access = access_at(SCHEDULE, SOLD, ending, NOW, blocks)
    return explain(access, SCHEDULE, ending, {one.bill_id: one for one in bills}, language)


@pytest.mark.parametrize(
    ("bills", "sentence"),
    [
        (
            [bill()],
            "Access is on: bill c-1:0:r0 is open (395.00 left, due 2027-02-01), and unpaid bills change nothing, for "
            "no grace period is configured (grace_days, policy version 3). A cancellation would end it.",
        ),
        (
            [bill(grace_days=40)],
            "Access is on until 2027-03-14: bill c-1:0:r0 (395.00 left) is due on 2027-02-01, and 40 days of grace end "
            "on 2027-03-13 (grace_days, policy version 3). Payment or credit of it keeps access on.",
        ),
        (
            [bill(grace_days=10)],
            "Access is off since 2027-02-12: bill c-1:0:r0 (395.00 left) was due on 2027-02-01, and its 10 days of "
            "grace ended on 2027-02-11 (grace_days, policy version 3). Payment or credit of it turns access on.",
        ),
        (
            [bill(grace_days=10), bill(number=1, grace_days=20)],
            "Access is off since 2027-02-12: bill c-1:0:r0 (395.00 left) was due on 2027-02-01, and its 10 days of "
            "grace ended on 2027-02-11 (grace_days, policy version 3). Payment or credit of all of c-1:0:r0, c-1:1:r0 "
            "turns access on.",
        ),
        (
            [bill(BillStatus.EXPIRED, lost_at=NOW - timedelta(days=1))],
            "Access is off since 2027-02-28: bill c-1:0:r0 became a loss on 2027-02-28 with 395.00 left "
            "(on_loss, policy version 3). Payment or credit of it turns access on.",
        ),
        (
            [bill(BillStatus.EXPIRED, lost_at=NOW - timedelta(days=1), on_loss=OnLoss.KEEP_ACCESS)],
            "Access is on: bill c-1:0:r0 became a loss on 2027-02-28, and the policy keeps access (on_loss, "
            "policy version 3). A cancellation would end it.",
        ),
    ],
)
def test_the_explanation_names_the_bill_the_policy_and_the_remedy(bills: list[BillSnapshot], sentence: str) -> None:
    assert explanation(*bills) == sentence


@pytest.mark.parametrize("reason", [AccessReason.LOSS, AccessReason.PAST_GRACE])
@pytest.mark.parametrize("language", Language)
def test_an_explanation_needs_no_blocking_bill(reason: AccessReason, language: Language) -> None:
    access = AccessNow(access=Access.OFF, reason=reason, since=NOW)

    assert explain(access, SCHEDULE, None, {}, language).startswith(BEGINNINGS[language][1])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    reason=st.sampled_from(AccessReason),
    ending=st.none() | st.sampled_from(EndReason),
    statuses=st.lists(st.sampled_from([BillStatus.OPEN, BillStatus.EXPIRED]), max_size=3),
    grace_days=st.none() | st.integers(0, 60),
    on_loss=st.sampled_from(OnLoss),
    is_known=st.booleans(),
)
def test_every_situation_is_explained_in_both_languages(
    reason: AccessReason, ending: EndReason | None, statuses: list[BillStatus],
    grace_days: int | None, on_loss: OnLoss, is_known: bool,
) -> None:  # fmt: skip
    """The row and the bills are written at different times, so any combination may be read."""
    assume(ending is not None or reason not in (AccessReason.CANCELLED, AccessReason.ENDED))  # the row carries both
    access = Access.ON if reason is AccessReason.ACTIVE else Access.OFF
    on = date(2027, 2, 10)
    end = Ending(on=on, at=local_midnight(on, ZONE), reason=ending) if ending else None
    bills = {
        one.bill_id: one
        for number, status in enumerate(statuses)
        for one in [bill(status, number, grace_days=grace_days, on_loss=on_loss, lost_at=NOW)]
    }
    row = AccessNow(access=access, reason=reason, since=NOW, blocking=tuple(bills) if is_known else ())

    for language in Language:
        sentence = explain(row, SCHEDULE, end, bills, language)
        assert sentence.startswith(BEGINNINGS[language][access is Access.OFF])


def test_both_languages_explain_the_same_situations() -> None:
    assert TEXTS[Language.ENGLISH].keys() == TEXTS[Language.SWEDISH].keys()
