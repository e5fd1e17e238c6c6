"""The status and figures of a bill, from the set of its facts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avtal.contracts.bills.bill import (
    LIVE,
    PARKED_TEXTS,
    SETTLED,
    STATUS_TEXTS,
    BillStatus,
    Fact,
    FactType,
    Figures,
    Parked,
    ParkedReason,
    add_up,
    is_same_fact,
    status_of,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = 395_00
PARKED = Parked(reason=ParkedReason.REFUSED)

bounded = settings(max_examples=200, deadline=None, derandomize=True)


def make_fact(kind: FactType, amount: int | None = None, **fields: Any) -> Fact:  # Any: any field
    usual = {"type": kind, "at": NOON, "source": "test", "digest": f"{kind} {amount}", "amount_minor": amount}
    return Fact.model_validate(usual | fields)


SENT = make_fact(FactType.DISPATCHED)
READ = make_fact(FactType.INVOICED, total_minor=TOTAL, due_date=date(2026, 12, 21))
DELETED = make_fact(FactType.DELETED)
LOST = make_fact(FactType.LOSS)


def paid(amount: int) -> Fact:
    return make_fact(FactType.PAYMENT, amount)


def reversed_payment(amount: int) -> Fact:
    return make_fact(FactType.PAYMENT_REVERSED, amount)


def credited(amount: int) -> Fact:
    return make_fact(FactType.CREDIT, amount)


def distinct(facts: list[Fact]) -> list[Fact]:
    """The facts that are stored if they arrive in this order."""
    stored: list[Fact] = []
    for fact in facts:
        if not any(is_same_fact(fact, other) for other in stored):
            stored.append(fact)
    return stored


# Equality of facts.


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
def test_facts_are_equal_by_uuid_or_else_by_digest(
    uuids: tuple[str | None, str | None], digests: tuple[str, str], same: bool
) -> None:
    one, other = (
        make_fact(FactType.PAYMENT, 1, event_uuid=uuid, digest=digest)
        for uuid, digest in zip(uuids, digests, strict=True)
    )

    assert is_same_fact(one, other) is is_same_fact(other, one) is same


# Meaning of a set of facts.


@pytest.mark.parametrize(
    ("facts", "remaining"),
    [
        ([], TOTAL),
        ([paid(100_00)], 295_00),
        ([paid(100_00), credited(95_00)], 200_00),
        ([paid(TOTAL), reversed_payment(TOTAL)], TOTAL),
        ([paid(500_00)], 0),
        ([READ.model_copy(update={"total_minor": 400_00}), paid(100_00)], 300_00),
        ([make_fact(FactType.FEES_WAIVED, 60_00), make_fact(FactType.DOUBTFUL, TOTAL)], TOTAL),
    ],
)
def test_remaining_is_total_less_payments_and_credits(facts: list[Fact], remaining: int) -> None:
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
        (BillStatus.OPEN, [SENT, paid(TOTAL), reversed_payment(TOTAL)]),
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
        (BillStatus.CREDITED, [SENT, paid(TOTAL), reversed_payment(TOTAL), credited(TOTAL)]),
        (BillStatus.PARKED, [DELETED]),
        (BillStatus.EXPIRED, [SENT, LOST]),
        (BillStatus.EXPIRED, [SENT, LOST, paid(TOTAL - 1)]),
    ],
)
def test_the_set_of_facts_decides_the_status(status: BillStatus, facts: list[Fact]) -> None:
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
def test_of_two_facts_that_undo_each_other_the_later_holds(status: BillStatus, kinds: list[FactType]) -> None:
    """EDGE-28. A sold claim is settled until returned; an end is a loss until a payment is reversed."""
    facts = [make_fact(kind, 0, at=NOON + timedelta(days=day), digest=str(day)) for day, kind in enumerate(kinds)]

    for known in ([SENT, *facts], [*reversed(facts), SENT]):
        assert status_of(add_up(known, TOTAL), made=True, parked=None, void=False) is status


@pytest.mark.parametrize(
    ("status", "facts", "ours"),
    [
        (BillStatus.VOID, [SENT, paid(TOTAL)], {"void": True}),
        (BillStatus.VOID, [], {"void": True, "parked": PARKED, "made": False}),
        (BillStatus.CREATING, [], {"made": False}),
        (BillStatus.CREATING, [SENT, paid(TOTAL)], {"made": False}),
        (BillStatus.PARKED, [], {"made": False, "parked": PARKED}),
        (BillStatus.PARKED, [], {"parked": PARKED}),
        (BillStatus.PARKED, [SENT, LOST], {"parked": PARKED}),
        (BillStatus.PAID, [SENT, paid(TOTAL)], {"parked": PARKED}),
        (BillStatus.CREDITED, [SENT, credited(TOTAL)], {"parked": PARKED}),
    ],
)
def test_our_own_decisions_override_the_facts(status: BillStatus, facts: list[Fact], ours: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"made": True, "parked": None, "void": False}

    assert status_of(add_up(facts, TOTAL), **(usual | ours)) is status


def test_a_total_of_zero_is_paid_unless_parked() -> None:
    assert status_of(add_up([], 0), made=True, parked=None, void=False) is BillStatus.PAID
    assert status_of(add_up([], 0), made=False, parked=PARKED, void=False) is BillStatus.PARKED


def test_the_first_dispatch_dates_the_bill() -> None:
    later = READ.model_copy(update={"at": NOON + timedelta(hours=1)})
    figures = add_up([later, SENT], TOTAL)

    assert (figures.dispatched_at, figures.due_date) == (NOON, date(2026, 12, 21))


@st.composite
def fact_lists(draw: st.DrawFn) -> list[Fact]:
    """Different facts, some at the same instant, each with a digest of its own."""
    amounts = st.none() | st.sampled_from([1, TOTAL - 1, TOTAL, 2 * TOTAL])
    days = st.none() | st.sampled_from([date(2026, 12, 1), date(2026, 12, 21)])
    fields = st.tuples(st.sampled_from(FactType), amounts, st.integers(0, 2), amounts, days, st.booleans())
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
        for number, (kind, amount, hours, total, day, has_uuid) in enumerate(draw(st.lists(fields, max_size=6)))
    ]


@bounded
@given(facts=fact_lists(), data=st.data())
def test_order_and_repetition_of_facts_do_not_matter(facts: list[Fact], data: st.DataObject) -> None:
    """A repeated fact may lack the uuid, as a read does where the callback had one."""
    repeats = data.draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else []
    bare = [fact.model_copy(update={"event_uuid": None}) for fact in repeats]
    arrived = data.draw(st.permutations([*facts, *repeats, *bare]))
    expected, shuffled = add_up(facts, TOTAL), add_up(distinct(arrived), TOTAL)

    assert shuffled == expected
    assert _statuses(shuffled) == _statuses(expected)


def _statuses(figures: Figures) -> list[BillStatus]:
    return [
        status_of(figures, made=made, parked=parked, void=void)
        for made in (True, False)
        for parked in (None, PARKED)
        for void in (True, False)
    ]


def test_every_status_and_parked_reason_has_a_text() -> None:
    assert set(STATUS_TEXTS) == set(BillStatus)
    assert set(PARKED_TEXTS) == set(ParkedReason)
    assert set(BillStatus) - LIVE - SETTLED == {BillStatus.EXPIRED, BillStatus.VOID}


def test_an_ended_invoice_is_a_loss_only_if_unpaid() -> None:
    """Every paid bill ends, so a version for it would cost each cycle a signal."""
    ended = make_fact(FactType.ENDED, at=NOON + timedelta(days=1))

    assert add_up([SENT, READ, paid(TOTAL), ended], TOTAL) == add_up([SENT, READ, paid(TOTAL)], TOTAL)
    assert add_up([SENT, READ, ended], TOTAL).lost_at == ended.at
