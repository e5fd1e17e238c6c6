"""PATCH of a contract: what changes, from when, and what is refused."""

import pytest

from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract
from tests.api.caller import ACCOUNT, Caller, body_of, pointers, problem, sale
from tests.api.conftest import NOW
from tests.store.builders import start_bill

LINE = {"product": "paper", "title": "Paper", "quantity": 2, "unit_price": "50.00", "vat_rate": "6"}


def bill_terms(database: Database, number: int) -> tuple[list[str], str | None, int | None]:
    """Creates the period's bill; returns its titles, its delivery method, and its grace days."""
    with database.write() as session:
        stored = contract(session, ACCOUNT, "c-1")
        assert stored is not None
        bill = start_bill(session, ACCOUNT, "c-1", stored.schedule.period(number), 0, NOW)
        return [row["title"] for row in bill.rows], bill.delivery_method, bill.grace_days


async def test_new_lines_hold_from_the_next_period_on(caller: Caller, database: Database) -> None:
    await caller.sell()
    first = bill_terms(database, 0)
    changed = body_of(await caller.request("PATCH", "/contracts/c-1", {"lines": [LINE]}))
    [access] = (await caller.get("/subscribers/s-1/access"))["items"]

    assert changed["terms"]["lines"] == [LINE]
    assert (first[0], bill_terms(database, 0)[0], bill_terms(database, 1)[0]) == (
        ["Global", "Paper"],
        first[0],
        ["Paper"],
    )
    assert access["products"] == ["global", "Paper"]


async def test_first_period_keeps_the_price_of_the_sale(caller: Caller, database: Database) -> None:
    """Also if the change comes before the first bill is made."""
    await caller.sell()
    body_of(await caller.request("PATCH", "/contracts/c-1", {"lines": [LINE]}))

    assert bill_terms(database, 0)[0] == ["Global", "Paper"]
    assert bill_terms(database, 1)[0] == ["Paper"]


async def test_new_delivery_and_policy_hold_for_later_bills(caller: Caller, database: Database) -> None:
    await caller.sell()
    before = bill_terms(database, 0)
    change = {"delivery_method": "SMS", "edi_number": "7350001600000", "policy": {"grace_days": 5}}
    body_of(await caller.request("PATCH", "/contracts/c-1", change))

    assert (before[1], before[2]) == ("Email", None)
    assert bill_terms(database, 1)[2] == 5
    assert bill_terms(database, 1)[1] == "EDI"


async def test_repeated_change_changes_nothing(caller: Caller) -> None:
    await caller.sell()
    responses = [body_of(await caller.request("PATCH", "/contracts/c-1", {"lines": [LINE]})) for _ in range(2)]

    assert responses[0] == responses[1]


async def test_repeated_sale_is_recognized_after_a_change(caller: Caller) -> None:
    await caller.sell()
    body_of(await caller.request("PATCH", "/contracts/c-1", {"lines": [LINE]}))

    body_of(await caller.request("POST", "/contracts", sale()), 200)


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
async def test_invalid_change_is_named_by_its_pointer(caller: Caller, change: dict[str, object], pointer: str) -> None:
    await caller.sell()

    assert pointers(await caller.request("PATCH", "/contracts/c-1", change)) == [pointer]


async def test_another_accounts_contract_is_404(caller: Caller, other: Caller) -> None:
    await caller.sell()

    problem(await other.request("PATCH", "/contracts/c-1", {"lines": [LINE]}), 404)
