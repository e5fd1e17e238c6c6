"""One bill: its names, when two facts are one, and what a set of facts means."""

import string
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avtal.contracts.bills.bill import (
    LIVE,
    PARKED_TEXTS,
    PLATFORM_KEY_LENGTH_MAX,
    SETTLED,
    STATUS_TEXTS,
    BillStatus,
    Fact,
    FactType,
    Figures,
    Parked,
    ParkedReason,
    add_up,
    bill_id,
    bill_parts,
    is_same_fact,
    platform_key,
    status_of,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = 395_00
STOPPED = Parked(reason=ParkedReason.REFUSED)

quick = settings(max_examples=200, deadline=None, derandomize=True)
contract_ids = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64)
numbers = st.integers(0, 999_999)


def make_fact(kind: FactType, amount: int | None = None, **fields: Any) -> Fact:  # Any: any field
    usual = {"type": kind, "at": NOON, "source": "test", "digest": f"{kind} {amount}", "amount_minor": amount}
    return Fact.model_validate(usual | fields)


SENT = make_fact(FactType.DISPATCHED)
READ = make_fact(FactType.INVOICED, total_minor=TOTAL, due_date=date(2026, 12, 21))
DELETED = make_fact(FactType.DELETED)
LOST = make_fact(FactType.LOSS)


def paid(amount: int) -> Fact:
    return make_fact(FactType.PAYMENT, amount)


def recalled(amount: int) -> Fact:
    return make_fact(FactType.PAYMENT_REVERSED, amount)


def credited(amount: int) -> Fact:
    return make_fact(FactType.CREDIT, amount)


def taken_in(facts: list[Fact]) -> list[Fact]:
    """The set that is kept of facts that arrive in this order."""
    known: list[Fact] = []
    for fact in facts:
        if not any(is_same_fact(fact, other) for other in known):
            known.append(fact)
    return known


# The names of a bill.


@quick
@given(contract_ids, numbers, numbers)
def test_a_bill_id_tells_its_contract_period_and_revision(contract: str, period: int, revision: int) -> None:
    assert bill_parts(bill_id(contract, period, revision)) == (contract, period, revision)


@pytest.mark.parametrize(
    "text", ["", "c-1", "c-1:0", "c-1:0:0", "c-1:0:r", "c:1:0:r0", "c-1:-1:r0", "c-1:01:r0", "c-1:٣:r0", "ö:0:r0"]
)
def test_what_is_no_bill_id_has_no_parts(text: str) -> None:
    assert bill_parts(text) is None


@quick
@given(st.text("0123456789:r.-", max_size=12).map("c".__add__))
def test_whatever_has_parts_is_the_bill_id_of_these_parts(text: str) -> None:
    parts = bill_parts(text)

    assert parts is None or bill_id(*parts) == text


@quick
@given(contract_ids, numbers, numbers)
def test_a_platform_key_fits_and_is_the_bill_id_where_that_fits(contract: str, period: int, revision: int) -> None:
    identity = bill_id(contract, period, revision)
    key = platform_key(identity)

    assert len(key) <= PLATFORM_KEY_LENGTH_MAX
    assert key == platform_key(identity)
    assert (key == identity) == (len(identity) <= PLATFORM_KEY_LENGTH_MAX)


def test_a_platform_key_is_the_same_in_every_version() -> None:
    """It is how a bill is found again at the platform: a change here would make second invoices."""
    assert platform_key("c-1001:0:r0") == "c-1001:0:r0"
    assert platform_key("x" * 64 + ":0:r0") == "xxxxxxxxxxxxxxxxxxxxxxx~c251c9fd3d503e76"


def test_no_two_bills_share_a_platform_key() -> None:
    contracts = ["c", "c-1", "a" * 35, "a" * 36, *("b" * length for length in range(30, 65))]
    identities = {bill_id(each, period, revision) for each in contracts for period in range(100) for revision in (0, 1)}

    assert len({platform_key(identity) for identity in identities}) == len(identities)


# When two facts are one.


@pytest.mark.parametrize(
    ("uuids", "digests", "same"),
    [
        (("u", "u"), ("d", "d"), True),
        (("u", "u"), ("d", "e"), True),
        (("u", "v"), ("d", "d"), False),
        (("u", "v"), ("d", "e"), False),
        (("u", None), ("d", "d"), True),
        (("u", None), ("d", "e"), False),
        ((None, None), ("d", "d"), True),
        ((None, None), ("d", "e"), False),
    ],
)
def test_facts_are_one_by_their_uuids_and_else_by_their_digest(
    uuids: tuple[str | None, str | None], digests: tuple[str, str], same: bool
) -> None:
    one, other = (
        make_fact(FactType.PAYMENT, 1, event_uuid=uuid, digest=digest)
        for uuid, digest in zip(uuids, digests, strict=True)
    )

    assert is_same_fact(one, other) is is_same_fact(other, one) is same


# What a set of facts means.


@pytest.mark.parametrize(
    ("facts", "remaining"),
    [
        ([], TOTAL),
        ([paid(100_00)], 295_00),
        ([paid(100_00), credited(95_00)], 200_00),
        ([paid(TOTAL), recalled(TOTAL)], TOTAL),
        ([paid(500_00)], 0),
        ([READ.model_copy(update={"total_minor": 400_00}), paid(100_00)], 300_00),
        ([make_fact(FactType.FEES_WAIVED, 60_00), make_fact(FactType.DOUBTFUL, TOTAL)], TOTAL),
    ],
)
def test_what_remains_is_the_total_as_sent_less_payments_and_credits(facts: list[Fact], remaining: int) -> None:
    assert add_up(facts, TOTAL).remaining_minor == remaining


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        (BillStatus.DRAFT, []),
        (BillStatus.DRAFT, [LOST]),
        (BillStatus.DRAFT, [paid(TOTAL)]),
        (BillStatus.OPEN, [SENT]),
        (BillStatus.OPEN, [READ]),
        (BillStatus.OPEN, [SENT, paid(TOTAL - 1)]),
        (BillStatus.OPEN, [SENT, paid(TOTAL), recalled(TOTAL)]),
        (BillStatus.OPEN, [SENT, DELETED]),
        (BillStatus.OPEN, [SENT, make_fact(FactType.FEES_WAIVED, TOTAL)]),
        (BillStatus.OPEN, [SENT, make_fact(FactType.DOUBTFUL, TOTAL)]),
        (BillStatus.OPEN, [SENT, make_fact(FactType.HANDED_OVER)]),
        (BillStatus.OPEN, [SENT, make_fact(FactType.OTHER, TOTAL)]),
        (BillStatus.PAID, [SENT, paid(TOTAL)]),
        (BillStatus.PAID, [SENT, paid(2 * TOTAL)]),
        (BillStatus.PAID, [SENT, paid(95_00), credited(300_00)]),
        (BillStatus.PAID, [SENT, LOST, paid(TOTAL)]),
        (BillStatus.CREDITED, [SENT, credited(TOTAL)]),
        (BillStatus.CREDITED, [SENT, LOST, credited(TOTAL)]),
        (BillStatus.CREDITED, [SENT, paid(TOTAL), recalled(TOTAL), credited(TOTAL)]),
        (BillStatus.PARKED, [DELETED]),
        (BillStatus.EXPIRED, [SENT, LOST]),
        (BillStatus.EXPIRED, [SENT, LOST, paid(TOTAL - 1)]),
    ],
)
def test_the_facts_decide_the_status(status: BillStatus, facts: list[Fact]) -> None:
    assert status_of(add_up(facts, TOTAL), made=True, parked=None, void=False) is status


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (BillStatus.PAID, [FactType.CLAIM_SOLD]),
        (BillStatus.OPEN, [FactType.CLAIM_SOLD, FactType.CLAIM_RETURNED]),
        (BillStatus.PAID, [FactType.CLAIM_SOLD, FactType.CLAIM_RETURNED, FactType.CLAIM_SOLD]),
        (BillStatus.EXPIRED, [FactType.ENDED]),
        (BillStatus.OPEN, [FactType.ENDED, FactType.PAYMENT_REVERSED]),
        (BillStatus.EXPIRED, [FactType.ENDED, FactType.PAYMENT_REVERSED, FactType.ENDED]),
    ],
)
def test_a_sold_claim_is_settled_until_it_is_returned_and_an_end_is_a_loss_until_money_is_taken_back(
    status: BillStatus, kinds: list[FactType]
) -> None:
    """EDGE-28. Of two that undo each other, the later one holds."""
    facts = [make_fact(kind, 0, at=NOON + timedelta(days=day), digest=str(day)) for day, kind in enumerate(kinds)]

    for known in ([SENT, *facts], [*reversed(facts), SENT]):
        assert status_of(add_up(known, TOTAL), made=True, parked=None, void=False) is status


@pytest.mark.parametrize(
    ("status", "facts", "ours"),
    [
        (BillStatus.VOID, [SENT, paid(TOTAL)], {"void": True}),
        (BillStatus.VOID, [], {"void": True, "parked": STOPPED, "made": False}),
        (BillStatus.CREATING, [], {"made": False}),
        (BillStatus.CREATING, [SENT, paid(TOTAL)], {"made": False}),
        (BillStatus.PARKED, [], {"made": False, "parked": STOPPED}),
        (BillStatus.PARKED, [], {"parked": STOPPED}),
        (BillStatus.PARKED, [SENT, LOST], {"parked": STOPPED}),
        (BillStatus.PAID, [SENT, paid(TOTAL)], {"parked": STOPPED}),
        (BillStatus.CREDITED, [SENT, credited(TOTAL)], {"parked": STOPPED}),
    ],
)
def test_our_own_decisions_and_the_facts_decide_the_status(
    status: BillStatus, facts: list[Fact], ours: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"made": True, "parked": None, "void": False}

    assert status_of(add_up(facts, TOTAL), **(asked | ours)) is status


def test_a_sum_of_zero_is_paid_without_a_dispatch_unless_it_was_stopped_before() -> None:
    assert status_of(add_up([], 0), made=True, parked=None, void=False) is BillStatus.PAID
    assert status_of(add_up([], 0), made=False, parked=STOPPED, void=False) is BillStatus.PARKED


def test_the_first_dispatch_dates_the_bill_and_the_reading_tells_when_it_is_due() -> None:
    later = READ.model_copy(update={"at": NOON + timedelta(hours=1)})
    figures = add_up([later, SENT], TOTAL)

    assert (figures.dispatched_at, figures.due_date) == (NOON, date(2026, 12, 21))


@st.composite
def happenings(draw: st.DrawFn) -> list[Fact]:
    """Different facts, some at the same instant; a digest belongs to one of them alone."""
    amounts = st.none() | st.sampled_from([1, TOTAL - 1, TOTAL, 2 * TOTAL])
    days = st.none() | st.sampled_from([date(2026, 12, 1), date(2026, 12, 21)])
    told = st.tuples(st.sampled_from(FactType), amounts, st.integers(0, 2), amounts, days, st.booleans())
    return [
        make_fact(
            kind,
            amount,
            at=NOON + timedelta(hours=hours),
            digest=f"digest {number}",
            event_uuid=f"uuid {number}" if has_uuid else None,
            total_minor=total,
            due_date=day,
        )
        for number, (kind, amount, hours, total, day, has_uuid) in enumerate(draw(st.lists(told, max_size=6)))
    ]


@quick
@given(facts=happenings(), data=st.data())
def test_the_set_of_facts_decides_never_their_order_nor_their_number(facts: list[Fact], data: st.DataObject) -> None:
    """A repeat may lack the uuid, as a reading does where the callback had one."""
    repeats = data.draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else []
    bare = [fact.model_copy(update={"event_uuid": None}) for fact in repeats]
    arrived = data.draw(st.permutations([*facts, *repeats, *bare]))
    straight, shuffled = add_up(facts, TOTAL), add_up(taken_in(arrived), TOTAL)

    assert shuffled == straight
    assert _statuses(shuffled) == _statuses(straight)


def _statuses(figures: Figures) -> list[BillStatus]:
    return [
        status_of(figures, made=made, parked=parked, void=void)
        for made in (True, False)
        for parked in (None, STOPPED)
        for void in (True, False)
    ]


def test_every_status_and_reason_has_its_words() -> None:
    assert set(STATUS_TEXTS) == set(BillStatus)
    assert set(PARKED_TEXTS) == set(ParkedReason)
    assert set(BillStatus) - LIVE - SETTLED == {BillStatus.EXPIRED, BillStatus.VOID}


def test_the_end_of_a_paid_bill_is_no_news_and_that_of_an_unpaid_one_is_a_loss() -> None:
    """Every paid bill ends so: news of it would cost each cycle a signal."""
    ended = make_fact(FactType.ENDED, at=NOON + timedelta(days=1))

    assert add_up([SENT, READ, paid(TOTAL), ended], TOTAL) == add_up([SENT, READ, paid(TOTAL)], TOTAL)
    assert add_up([SENT, READ, ended], TOTAL).lost_at == ended.at
