"""A bill that cannot be created is parked with its reason. The contract continues; an operator retries or waives it."""

import asyncio

from tests.diaries.diary import Diary

PLACEHOLDER = {"subscriber_id": "s-parked", "name": "Nils Holm", "email": "nils@kund.sesa.my"}


async def test_an_unreachable_subscribers_bill_is_parked_until_an_address_is_known(diary: Diary) -> None:
    """EDGE-24. A new address applies to bills created from now on."""
    await diary.sell("unreachable", subscriber={**PLACEHOLDER, "subscriber_id": "s-unreachable"})
    parked = await diary.bill("unreachable", 0)
    shown = await diary.contract("unreachable")
    address = {"street": "Storgatan 1", "zipcode": "111 52", "city": "Stockholm"}
    updated = await diary.api.put("/v1/subscribers/s-unreachable", json={"name": "Nils Holm", "address": address})
    retried = await diary.command(f"/v1/bills/{parked['bill_id']}/retry")
    await diary.drain()
    await diary.record("unreachable", "parked_retried")
    details = await diary.current_details("unreachable")

    assert (parked["status"], parked["parked"]["reason"]) == ("parked", "undeliverable")
    assert [one["bill_id"] for one in shown["parked"]] == ["unreachable:0:r0"]
    assert shown["access"]["access"] == "on"
    assert updated.status_code == 200
    assert (retried.json()["bill_id"], retried.json()["status"]) == ("unreachable:0:r0", "open")
    assert retried.json()["delivery_method"] == "Letter"
    assert "bill `unreachable:0:r0`: open, 395.00 remaining" in details


async def test_a_refused_bill_shows_the_field_that_billogram_named(diary: Diary) -> None:
    """EDGE-32."""
    subscriber = {"subscriber_id": "s-refused", "name": "Nils Holm", "email": "nils@example.com", "org_no": "none"}
    await diary.sell("refused", subscriber=subscriber)
    parked = await diary.bill("refused", 0)

    assert (parked["status"], parked["parked"]["reason"]) == ("parked", "refused")
    assert "org_no" in parked["parked"]["detail"]


async def test_a_waived_bill_is_void_and_the_contract_renews(diary: Diary) -> None:
    await diary.sell("waived", subscriber={**PLACEHOLDER, "subscriber_id": "s-waived"})
    bill = await diary.bill("waived", 0)
    waived = await diary.command(f"/v1/bills/{bill['bill_id']}/waive", {"reason": "a gift"})
    repeated = await diary.command(f"/v1/bills/{bill['bill_id']}/waive", {"reason": "a gift"})
    history = (await diary.get(f"/v1/bills/{bill['bill_id']}"))["history"]
    await diary.forward("32d")
    await diary.record("waived", "waived")

    assert waived.json()["status"] == "void"
    assert repeated.status_code == 200
    assert [(fact["type"], fact["source"]) for fact in history] == [("waived", "operator")]
    assert (await diary.bill("waived", 1))["status"] == "parked"


async def test_only_a_parked_bill_can_be_retried_or_waived(diary: Diary) -> None:
    await diary.sell("healthy")
    bill = await diary.bill("healthy", 0)

    for command, body in (("retry", None), ("waive", {"reason": "why not"})):
        refused = await diary.command(f"/v1/bills/{bill['bill_id']}/{command}", body)
        assert (refused.status_code, refused.json()["status"]) == (409, 409)
        assert "open" in refused.json()["detail"]


async def test_two_concurrent_retries_return_the_same_revision(diary: Diary) -> None:
    """EDGE-36. The bill before can no longer be waived."""
    await diary.sell("two-hands", policy={"mode": "draft"})
    draft = await diary.bill("two-hands", 0)
    await diary.staff("DELETE", f"/billogram/{draft['billogram_id']}")
    path = f"/v1/bills/{draft['bill_id']}"
    responses = await asyncio.gather(*(diary.command(f"{path}/retry") for _ in range(2)))
    waived = await diary.command(f"{path}/waive", {"reason": "too late"})
    bills = await diary.bills("two-hands")

    assert [response.json()["bill_id"] for response in responses] == ["two-hands:0:r1"] * 2
    assert waived.status_code == 409
    assert [(bill["bill_id"], bill["status"]) for bill in bills] == [
        ("two-hands:0:r0", "void"),
        ("two-hands:0:r1", "draft"),
    ]
