"""The account's policy and subscribers over HTTP."""

import pytest

from avtal.api.requests import PolicyChange
from avtal.contracts.policy import Policy
from avtal.store.billing.subscribers import customer_of
from avtal.store.engine.database import Database
from tests.api.client import ACCOUNT, Caller, ok, pointers, problem


async def test_a_policy_changes_where_it_is_told_to(caller: Caller) -> None:
    before = await caller.get("/policy")
    after = ok(await caller.ask("PUT", "/policy", {"mode": "automatic", "apply_to": "new_bills"}))

    assert before["mode"] == "draft"
    assert after == before | {"mode": "automatic"}
    assert await caller.get("/policy") == after


async def test_each_change_is_a_new_version_and_no_change_is_none(caller: Caller) -> None:
    contract = await caller.sold()
    for _ in range(2):
        ok(await caller.ask("PUT", "/policy", {"payment_days": 14}))

    assert contract["policy_version"] == 1
    assert (await caller.get("/contracts/c-1"))["policy_version"] == 2


async def test_a_policy_that_was_read_can_be_put_back(caller: Caller) -> None:
    policy = await caller.get("/policy")

    assert ok(await caller.ask("PUT", "/policy", policy)) == policy


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
async def test_a_bad_change_of_policy_is_422_and_changes_nothing(caller: Caller, body: object, pointer: str) -> None:
    before = await caller.get("/policy")

    assert pointers(await caller.ask("PUT", "/policy", body)) == [pointer]
    assert await caller.get("/policy") == before


def test_every_field_of_a_policy_can_be_named_in_a_change() -> None:
    assert PolicyChange.__annotations__.keys() == Policy.model_fields.keys() | {"apply_to"}


async def test_a_subscriber_is_replaced_as_a_whole(caller: Caller, database: Database) -> None:
    await caller.sold()
    body = {"name": "Anna Berg", "address": {"street": "Nygatan 2", "zipcode": "111 22", "city": "Järfälla"}}
    stored = ok(await caller.ask("PUT", "/subscribers/s-1", body))
    with database.write() as session:
        customer = customer_of(session, ACCOUNT, "s-1")

    assert (stored["subscriber_id"], stored["name"], stored["email"]) == ("s-1", "Anna Berg", None)
    assert stored["address"]["country"] == "SE"
    assert customer.subscriber.model_dump(mode="json") == stored
    assert customer.revision == 2


async def test_a_subscriber_comes_with_a_sale_only(caller: Caller, other: Caller) -> None:
    await caller.sold()

    problem(await caller.ask("PUT", "/subscribers/s-2", {"name": "Nobody"}), 404)
    problem(await other.ask("PUT", "/subscribers/s-1", {"name": "Nobody"}), 404)
    assert pointers(await caller.ask("PUT", "/subscribers/s-1", {"name": ""})) == ["/name"]


async def test_a_subscribers_access_is_told_per_contract_with_products(caller: Caller) -> None:
    await caller.sold("c-1")
    await caller.sold("c-2", start_date="2027-01-01")
    answer = await caller.get("/subscribers/s-1/access")

    assert [(one["contract_id"], one["access"]["access"]) for one in answer["items"]] == [("c-1", "on"), ("c-2", "off")]
    assert answer["items"][0]["products"] == ["global", "Paper"]
    problem(await caller.ask("GET", "/subscribers/nobody/access"), 404)
