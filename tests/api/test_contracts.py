"""Contracts over HTTP: sell, read, list, and commands while Temporal is unavailable."""

from datetime import UTC, datetime

import pytest

from tests.api.caller import Caller, body_of, pointers, problem, sale
from tests.api.conftest import FixedClock


async def test_new_sale_is_201_and_wakes_the_relay(caller: Caller, wakes: list[None]) -> None:
    response = await caller.request("POST", "/contracts", sale())

    assert body_of(response, 201)["contract_id"] == "c-1"
    assert response.headers["location"] == "/v1/contracts/c-1"
    assert len(wakes) == 1


async def test_repeated_sale_is_200_and_changes_nothing(caller: Caller, wakes: list[None]) -> None:
    first = await caller.sell()
    changed = {"subscriber_id": "s-1", "name": "Anna Berg"}

    assert body_of(await caller.request("POST", "/contracts", sale(subscriber=changed))) == first
    assert len(wakes) == 1


async def test_same_contract_id_on_other_terms_is_409(caller: Caller) -> None:
    await caller.sell()
    response = await caller.request("POST", "/contracts", sale(currency="NOK"))

    assert problem(response, 409)["type"].endswith("other-terms")


def line(**changes: object) -> list[dict[str, object]]:
    return [{"title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"} | changes]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"contract_id": "å"}, "/contract_id"),
        ({"surprise": 1}, "/surprise"),
        ({"a/b~": 1}, "/a~1b~0"),
        ({"lines": []}, "/lines"),
        ({"lines": line(unit_price=395.0)}, "/lines/0/unit_price"),
        ({"lines": line(unit_price="395.001")}, "/lines/0/unit_price"),
        ({"lines": line(vat_rate=25.5)}, "/lines/0/vat_rate"),
        ({"lines": line(vat_rate="101")}, "/lines/0/vat_rate"),
        ({"lines": line(vat_rate=True)}, "/lines/0/vat_rate"),
        ({"lines": line(vat_rate="2e1")}, "/lines/0/vat_rate"),
        ({"lines": line(quantity="1")}, "/lines/0/quantity"),
        ({"lines": line(unit_price="-1.00")}, "/lines"),
        ({"subscriber": {"subscriber_id": "s-1"}}, "/subscriber/name"),
        ({"subscriber": {"subscriber_id": "s-1", "name": "Anna\x00"}}, "/subscriber/name"),
        ({"edi_number": "7350\x0001"}, "/edi_number"),
        ({"interval": {"unit": "hour"}}, "/interval/unit"),
        ({"currency": "EUR"}, "/currency"),
        ({"start_date": "2026-10-01"}, "/start_date"),
        ({"start_date": "20261121"}, "/start_date"),
        ({"start_date": 1795219200}, "/start_date"),
        ({"start_date": "9999-12-20"}, "/start_date"),
        ({"fixed_periods": 1200, "interval": {"unit": "year", "count": 120}}, "/fixed_periods"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"prices_include_vat": "no"}, "/prices_include_vat"),
        ({"policy": {"grace_days": 366}}, "/policy/grace_days"),
        ({"policy": {"grace_days": "30"}}, "/policy/grace_days"),
        ({"policy": {"work_window_minutes": False}}, "/policy/work_window_minutes"),
        ({"policy": {"payment_days": 400}}, "/policy/payment_days"),
        ({"policy": {"colour": "red"}}, "/policy/colour"),
    ],
)
async def test_invalid_field_is_named_by_its_pointer(caller: Caller, changes: dict[str, object], pointer: str) -> None:
    assert pointers(await caller.request("POST", "/contracts", sale() | changes)) == [pointer]


async def test_all_invalid_fields_are_named_together(caller: Caller) -> None:
    response = await caller.request("POST", "/contracts", sale("å", currency="EUR", interval={}))

    assert pointers(response) == ["/contract_id", "/currency", "/interval/unit"]


async def test_contract_shows_all_its_fields(caller: Caller) -> None:
    contract = await caller.sell()

    assert contract == await caller.get("/contracts/c-1")
    assert contract["access"] == await caller.get("/contracts/c-1/access")
    assert contract["access"] == {
        "access": "on",
        "since": "2026-11-21T12:30:00Z",
        "reason": "active",
        "explanation": "Access is on: the contract runs until further notice. A cancellation would end it.",
        "next_change": None,
    }
    terms = contract.pop("terms")
    del contract["access"]
    assert contract == {
        "contract_id": "c-1",
        "status": "active",
        "current_period": {"number": 0, "start": "2026-11-21", "end": "2026-12-21"},
        "next_renewal": "2026-12-21",
        "open_bills": [],
        "parked": [],
        "policy_version": 1,
    }
    assert "subscriber" not in terms
    assert terms["start_date"] == "2026-11-21"
    assert [one["unit_price"] for one in terms["lines"]] == ["395.00", "100.00"]


async def test_contract_before_its_start_renews_after_period_0(caller: Caller) -> None:
    contract = await caller.sell(start_date="2027-01-31")

    assert contract["current_period"] == {"number": 0, "start": "2027-01-31", "end": "2027-02-28"}
    assert contract["next_renewal"] == "2027-02-28"
    assert contract["access"]["reason"] == "not_started"
    assert contract["access"]["next_change"] == {"at": "2027-01-30T23:00:00Z", "to": "on", "because": "active"}


async def test_last_fixed_period_has_no_next_renewal(caller: Caller, clock: FixedClock) -> None:
    await caller.sell(fixed_periods=2)
    clock.at = datetime(2026, 12, 24, tzinfo=UTC)
    contract = await caller.get("/contracts/c-1")

    assert contract["current_period"]["number"] == 1
    assert contract["next_renewal"] is None
    assert contract["access"]["next_change"] == {"at": "2027-01-20T23:00:00Z", "to": "off", "because": "ended"}


async def test_cursor_pages_through_every_contract_once(caller: Caller) -> None:
    ids = [f"c-{number}" for number in range(5)]
    for contract_id in ids:
        await caller.sell(contract_id)
    ids_seen = []
    page = await caller.get("/contracts", limit=2)
    while page["next_cursor"]:
        ids_seen += [item["contract_id"] for item in page["items"]]
        page = await caller.get("/contracts", limit=2, cursor=page["next_cursor"])

    assert ids_seen + [item["contract_id"] for item in page["items"]] == ids


async def test_list_is_filtered_by_status_and_access(caller: Caller) -> None:
    await caller.sell("c-1")
    await caller.sell("c-2", start_date="2027-01-01")
    off = await caller.get("/contracts", access="off", status="active")
    ended = await caller.get("/contracts", status="ended")

    assert [item["contract_id"] for item in off["items"]] == ["c-2"]
    assert ended == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "/limit"),
        ({"limit": "201"}, "/limit"),
        ({"cursor": "!"}, "/cursor"),
        ({"cursor": "w6U"}, "/cursor"),
        ({"cursor": ""}, "/cursor"),
        ({"status": "gone"}, "/status"),
        ({"acess": "off"}, "/acess"),
    ],
)
async def test_invalid_query_is_422(caller: Caller, query: dict[str, str], pointer: str) -> None:
    assert pointers(await caller.request("GET", "/contracts", **query)) == [pointer]


async def test_another_account_does_not_see_the_contract(caller: Caller, other: Caller) -> None:
    await caller.sell()

    for path in ("/contracts/c-1", "/contracts/c-1/bills", "/contracts/c-1/access", "/subscribers/s-1/access"):
        problem(await other.request("GET", path), 404)
    problem(await other.request("POST", "/contracts/c-1/cancel", {"at": "now"}), 404)
    assert (await other.get("/contracts"))["items"] == []


@pytest.mark.parametrize(
    "body", [{}, {"at": "soon"}, {"at": "2027-02-30"}, {"at": "20270301"}, {"at": 1795219200}, {"at": None}]
)
async def test_cancellation_needs_a_valid_date(caller: Caller, body: dict[str, object]) -> None:
    assert pointers(await caller.request("POST", "/contracts/c-1/cancel", body)) == ["/at"]


async def test_command_is_503_and_changes_nothing_while_temporal_is_unavailable(caller: Caller) -> None:
    before = await caller.sell()
    response = await caller.request("POST", "/contracts/c-1/cancel", {"at": "period_end"})

    assert problem(response, 503)["type"].endswith("temporal-unavailable")
    assert response.headers["retry-after"] == "5"
    assert await caller.get("/contracts/c-1") == before
