"""A bill that can't go on is parked with its reason, alone: the contract goes on, and a person mends it or gives up."""

import asyncio

from tests.diaries.life import Life

PLACEHOLDER = {"subscriber_id": "s-parked", "name": "Nils Holm", "email": "nils@kund.sesa.my"}


async def test_a_reader_who_cannot_be_reached_parks_the_bill_until_an_address_is_known(life: Life) -> None:
    """EDGE-24: a new address is used for what is made from now on."""
    await life.sell("unreachable", subscriber={**PLACEHOLDER, "subscriber_id": "s-unreachable"})
    parked = await life.bill("unreachable", 0)
    shown = await life.contract("unreachable")
    address = {"street": "Storgatan 1", "zipcode": "111 52", "city": "Stockholm"}
    mended = await life.api.put("/v1/subscribers/s-unreachable", json={"name": "Nils Holm", "address": address})
    retried = await life.command(f"/v1/bills/{parked['bill_id']}/retry")
    await life.record("unreachable", "parked_mended")
    details = await life.current_details("unreachable")

    assert (parked["status"], parked["parked"]["reason"]) == ("parked", "undeliverable")
    assert [one["bill_id"] for one in shown["parked"]] == ["unreachable:0:r0"]
    assert shown["access"]["access"] == "on"
    assert mended.status_code == 200
    assert (retried.json()["bill_id"], retried.json()["status"]) == ("unreachable:0:r0", "open")
    assert retried.json()["delivery_method"] == "Letter"
    assert "bill `unreachable:0:r0`: open, 395.00 left" in details


async def test_what_the_platform_refuses_is_told_with_its_field_and_words(life: Life) -> None:
    """EDGE-32."""
    reader = {"subscriber_id": "s-refused", "name": "Nils Holm", "email": "nils@example.com", "org_no": "none"}
    await life.sell("refused", subscriber=reader)
    parked = await life.bill("refused", 0)

    assert (parked["status"], parked["parked"]["reason"]) == ("parked", "refused")
    assert "org_no" in parked["parked"]["detail"]


async def test_a_waived_bill_is_void_its_period_free_and_the_contract_renews(life: Life) -> None:
    await life.sell("waived", subscriber={**PLACEHOLDER, "subscriber_id": "s-waived"})
    bill = await life.bill("waived", 0)
    waived = await life.command(f"/v1/bills/{bill['bill_id']}/waive", {"reason": "a gift"})
    again = await life.command(f"/v1/bills/{bill['bill_id']}/waive", {"reason": "a gift"})
    history = (await life.get(f"/v1/bills/{bill['bill_id']}"))["history"]
    await life.forward("32d")
    await life.record("waived", "waived")

    assert waived.json()["status"] == "void"
    assert again.status_code == 200
    assert [(fact["type"], fact["source"]) for fact in history] == [("waived", "operator")]
    assert (await life.bill("waived", 1))["status"] == "parked"


async def test_only_a_stopped_bill_can_be_retried_or_waived(life: Life) -> None:
    await life.sell("healthy")
    bill = await life.bill("healthy", 0)

    for command, body in (("retry", None), ("waive", {"reason": "why not"})):
        refused = await life.command(f"/v1/bills/{bill['bill_id']}/{command}", body)
        assert (refused.status_code, refused.json()["status"]) == (409, 409)
        assert "open" in refused.json()["detail"]


async def test_two_operators_who_retry_at_once_are_told_of_the_same_revision(life: Life) -> None:
    """EDGE-36: whoever comes second finds it done; the bill before can't be given up any more."""
    await life.sell("two-hands", policy={"mode": "draft"})
    draft = await life.bill("two-hands", 0)
    await life.staff("DELETE", f"/billogram/{draft['billogram_id']}")
    path = f"/v1/bills/{draft['bill_id']}"
    answers = await asyncio.gather(*(life.command(f"{path}/retry") for _ in range(2)))
    waived = await life.command(f"{path}/waive", {"reason": "too late"})
    bills = await life.bills("two-hands")

    assert [answer.json()["bill_id"] for answer in answers] == ["two-hands:0:r1"] * 2
    assert waived.status_code == 409
    assert [(bill["bill_id"], bill["status"]) for bill in bills] == [
        ("two-hands:0:r0", "void"),
        ("two-hands:0:r1", "draft"),
    ]
