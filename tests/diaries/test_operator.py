"""What an operator finds in Temporal's list of contracts, by the search attributes alone."""

from datetime import date, timedelta

from avtal.contracts.periods import local_midnight
from tests.diaries.life import Life
from workflows.messages import workflow_id


async def found(life: Life, query: str) -> set[str]:
    """The ids of the contracts of the account whose newest run fits the query."""
    runs = life.stack.client.list_workflows(f"AvtalAccount = 'demo' AND {query}")
    return {run.id.removeprefix("contract:demo:") async for run in runs}


async def finds(life: Life, query: str, *contracts: str) -> bool:
    """Whether these contracts are found, once the list has caught up."""

    async def shown() -> bool:
        return set(contracts) <= await found(life, query)

    await life.until(shown)
    return True


async def test_contracts_are_found_by_access_and_status(life: Life) -> None:
    await life.sell("op-on")
    await life.sell("op-off")
    await life.sell("op-leaving")
    await life.command("/v1/contracts/op-off/cancel", {"at": "now"})
    await life.command("/v1/contracts/op-leaving/cancel", {"at": "period_end"})

    assert await finds(life, "AvtalAccess = 'off' AND AvtalStatus = 'ended'", "op-off")
    assert await finds(life, "AvtalAccess = 'on' AND AvtalStatus = 'active'", "op-on")
    assert await finds(life, "AvtalAccess = 'on' AND AvtalStatus = 'cancelling'", "op-leaving")
    assert await found(life, "AvtalAccess = 'off'") & {"op-on", "op-leaving"} == set()


async def test_a_contract_with_a_parked_bill_is_found_by_its_reason_until_it_is_mended(life: Life) -> None:
    nowhere = {"subscriber_id": "s-op-parked", "name": "Anna Lundberg", "email": None}
    await life.sell("op-parked", subscriber=nowhere)

    assert await finds(life, "AvtalParked = 'undeliverable'", "op-parked")

    bill = await life.bill("op-parked", 0)
    await life.command(f"/v1/bills/{bill['bill_id']}/waive", {"reason": "moved abroad"})

    assert await finds(life, "AvtalParked IS NULL", "op-parked")


async def test_the_next_renewal_moves_with_each_period_and_goes_with_a_cancellation(life: Life) -> None:
    await life.sell("op-renewing")
    period = (await life.contract("op-renewing"))["current_period"]
    midnight = local_midnight(date.fromisoformat(period["end"]), "Europe/Stockholm")
    before, after = (f"'{midnight + hours:%Y-%m-%dT%H:%M:%SZ}'" for hours in (timedelta(hours=-1), timedelta(hours=1)))

    assert await finds(life, f"AvtalNextRenewal > {before} AND AvtalNextRenewal < {after}", "op-renewing")

    await life.forward("31d")

    assert await finds(life, f"AvtalNextRenewal > {after}", "op-renewing")

    await life.command("/v1/contracts/op-renewing/cancel", {"at": "period_end"})

    assert await finds(life, "AvtalNextRenewal IS NULL", "op-renewing")


async def test_a_paid_period_costs_one_event_for_all_attributes(life: Life) -> None:
    await life.sell("op-cost")
    await life.pay(await life.bill("op-cost", 0))
    await life.forward("62d")
    history = (await life.histories("op-cost"))[0]
    written = [
        event for event in history.events if event.HasField("upsert_workflow_search_attributes_event_attributes")
    ]

    assert len(await life.bills("op-cost")) == 3
    assert len(written) == 2


async def test_an_operator_reads_who_and_what_a_contract_is(life: Life) -> None:
    await life.sell("op-told")
    handle = life.stack.client.get_workflow_handle(workflow_id("demo", "op-told"))

    assert await (await handle.describe()).static_summary() == "Contract op-told of demo"
    assert "Billed every month" in str(await (await handle.describe()).static_details())
    assert "Access is on" in await life.current_details("op-told")
