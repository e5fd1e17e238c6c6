"""The account's policy and subscribers over HTTP."""

import pytest

from avtal.api.requests import PolicyChange
from avtal.contracts.policy import Policy
from avtal.store.billing.subscribers import ensure_customer
from avtal.store.engine.database import Database
from tests.api.caller import ACCOUNT, Caller, body_of, pointers, problem


async def test_policy_change_keeps_omitted_fields(caller: Caller) -> None:
    before = await caller.get("/policy")
    after = body_of(await caller.request("PUT", "/policy", {"mode": "automatic", "apply_to": "new_bills"}))

    assert before["mode"] == "draft"
    assert after == before | {"mode": "automatic"}
    assert await caller.get("/policy") == after


async def test_repeated_policy_change_makes_no_new_version(caller: Caller) -> None:
    contract = await caller.sell()
    for _ in range(2):
        body_of(await caller.request("PUT", "/policy", {"payment_days": 14}))

    assert contract["policy_version"] == 1
    assert (await caller.get("/contracts/c-1"))["policy_version"] == 2


async def test_policy_as_read_can_be_put_back(caller: Caller) -> None:
    policy = await caller.get("/policy")

    assert body_of(await caller.request("PUT", "/policy", policy)) == policy


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"mode": "sometimes"}, "/mode"),
        ({"payment_days": 366}, "/payment_days"),
        ({"payment_days": "30"}, "/payment_days"),
        ({"grace_days": -1}, "/grace_days"),
        ({"on_loss": "forgive"}, "/on_loss"),
        ({"placeholder_domains": ["a@b"]}, "/placeholder_domains"),
        ({"apply_to": "everything"}, "/apply_to"),
        ([], ""),
    ],
)
async def test_invalid_policy_change_is_422_and_changes_nothing(caller: Caller, body: object, pointer: str) -> None:
    before = await caller.get("/policy")

    assert pointers(await caller.request("PUT", "/policy", body)) == [pointer]
    assert await caller.get("/policy") == before


def test_policy_change_accepts_every_policy_field() -> None:
    assert PolicyChange.__annotations__.keys() == Policy.model_fields.keys() | {"apply_to"}


async def test_put_replaces_the_whole_subscriber(caller: Caller, database: Database) -> None:
    await caller.sell()
    body = {"name": "Anna Berg", "address": {"street": "Nygatan 2", "zipcode": "111 22", "city": "Järfälla"}}
    stored = body_of(await caller.request("PUT", "/subscribers/s-1", body))
    with database.write() as session:
        customer = ensure_customer(session, ACCOUNT, "s-1")

    assert (stored["subscriber_id"], stored["name"], stored["email"]) == ("s-1", "Anna Berg", None)
    assert stored["address"]["country"] == "SE"
    assert customer.subscriber.model_dump(mode="json") == stored
    assert customer.data_version == 2


async def test_only_a_sale_creates_a_subscriber(caller: Caller, other: Caller) -> None:
    await caller.sell()

    problem(await caller.request("PUT", "/subscribers/s-2", {"name": "Nobody"}), 404)
    problem(await other.request("PUT", "/subscribers/s-1", {"name": "Nobody"}), 404)
    assert pointers(await caller.request("PUT", "/subscribers/s-1", {"name": ""})) == ["/name"]


async def test_subscriber_access_lists_each_contract_with_its_products(caller: Caller) -> None:
    await caller.sell("c-1")
    await caller.sell("c-2", start_date="2027-01-01")
    access = await caller.get("/subscribers/s-1/access")

    assert [(item["contract_id"], item["access"]["access"]) for item in access["items"]] == [
        ("c-1", "on"),
        ("c-2", "off"),
    ]
    assert access["items"][0]["products"] == ["global", "Paper"]
    problem(await caller.request("GET", "/subscribers/nobody/access"), 404)
