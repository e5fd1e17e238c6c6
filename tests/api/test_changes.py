"""PATCH of a contract: what it changes, from when on, and what it refuses."""

import pytest

from avtal.contracts.periods import Period
from avtal.contracts.schedule import Schedule
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract
from tests.api.client import ACCOUNT, Caller, ok, pointers, problem, sale
from tests.api.conftest import NOW
from tests.store.builders import begin_bill

LINE = {"product": "paper", "title": "Paper", "quantity": 2, "unit_price": "50.00", "vat_rate": "6"}


def billed(database: Database, number: int) -> tuple[list[str], str | None, int | None]:
    """A bill of this period is made: its rows' titles, how it is delivered, and its grace."""
    with database.write() as session:
        stored = contract(session, ACCOUNT, "c-1")
        assert stored is not None
        bill = begin_bill(session, ACCOUNT, "c-1", period(stored.schedule, number), 0, NOW)
        return [row["title"] for row in bill.rows], bill.delivery_method, bill.grace_days


def period(schedule: Schedule, number: int) -> Period:
    return schedule.period(number)


async def test_new_lines_hold_from_the_first_period_that_is_not_billed(caller: Caller, database: Database) -> None:
    await caller.sold()
    first = billed(database, 0)
    changed = ok(await caller.ask("PATCH", "/contracts/c-1", {"lines": [LINE]}))
    [access] = (await caller.get("/subscribers/s-1/access"))["items"]

    assert changed["terms"]["lines"] == [LINE]
    assert (first[0], billed(database, 0)[0], billed(database, 1)[0]) == (["Global", "Paper"], first[0], ["Paper"])
    assert access["products"] == ["global", "Paper"]


async def test_delivery_and_policy_hold_for_bills_made_from_now_on(caller: Caller, database: Database) -> None:
    await caller.sold()
    before = billed(database, 0)
    change = {"delivery_method": "SMS", "edi_number": "7350001600000", "policy": {"grace_days": 5}}
    ok(await caller.ask("PATCH", "/contracts/c-1", change))

    assert (before[1], before[2]) == ("Email", None)
    assert billed(database, 1)[2] == 5
    assert billed(database, 1)[1] == "EDI"


async def test_the_same_change_again_changes_nothing(caller: Caller) -> None:
    await caller.sold()
    answers = [ok(await caller.ask("PATCH", "/contracts/c-1", {"lines": [LINE]})) for _ in range(2)]

    assert answers[0] == answers[1]


async def test_the_sale_is_still_known_after_a_change(caller: Caller) -> None:
    await caller.sold()
    ok(await caller.ask("PATCH", "/contracts/c-1", {"lines": [LINE]}))

    ok(await caller.ask("POST", "/contracts", sale()), 200)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [LINE | {"unit_price": 50}]}, "/lines/0/unit_price"),
        ({"lines": [LINE | {"unit_price": "-50.00"}]}, "/lines"),
        ({"policy": {"grace_days": -1}}, "/policy/grace_days"),
        ({"interval": {"unit": "year"}}, "/interval"),
        ({}, ""),
    ],
)
async def test_a_bad_change_is_named_by_its_pointer(caller: Caller, change: dict[str, object], pointer: str) -> None:
    await caller.sold()

    assert pointers(await caller.ask("PATCH", "/contracts/c-1", change)) == [pointer]


async def test_another_accounts_contract_can_not_be_changed(caller: Caller, other: Caller) -> None:
    await caller.sold()

    problem(await other.ask("PATCH", "/contracts/c-1", {"lines": [LINE]}), 404)
