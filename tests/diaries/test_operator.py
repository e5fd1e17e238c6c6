"""Search attributes: what an operator finds in Temporal's list of workflows."""

from datetime import date, timedelta

from avtal.contracts.periods import local_midnight
from tests.diaries.diary import Diary
from workflows.messages import workflow_id


async def found(diary: Diary, query: str) -> set[str]:
    """The ids of the account's contracts that match the query."""
    runs = diary.stack.client.list_workflows(f"AvtalAccount = 'demo' AND {query}")
    return {run.id.removeprefix("contract:demo:") async for run in runs}


async def wait_until_found(diary: Diary, query: str, *contracts: str) -> None:
    """Temporal's list lags a moment behind."""

    async def is_found() -> bool:
        return set(contracts) <= await found(diary, query)

    await diary.wait_until(is_found)


async def test_contracts_are_found_by_access_and_status(diary: Diary) -> None:
    await diary.sell("op-on")
    await diary.sell("op-off")
    await diary.sell("op-leaving")
    await diary.command("/v1/contracts/op-off/cancel", {"at": "now"})
    await diary.command("/v1/contracts/op-leaving/cancel", {"at": "period_end"})

    await wait_until_found(diary, "AvtalAccess = 'off' AND AvtalStatus = 'ended'", "op-off")
    await wait_until_found(diary, "AvtalAccess = 'on' AND AvtalStatus = 'active'", "op-on")
    await wait_until_found(diary, "AvtalAccess = 'on' AND AvtalStatus = 'cancelling'", "op-leaving")
    assert await found(diary, "AvtalAccess = 'off'") & {"op-off", "op-on", "op-leaving"} == {"op-off"}


async def test_a_contract_is_found_by_its_parked_reason_until_fixed(diary: Diary) -> None:
    nowhere = {"subscriber_id": "s-op-parked", "name": "Anna Lundberg", "email": None}
    await diary.sell("op-parked", subscriber=nowhere)

    await wait_until_found(diary, "AvtalParked = 'undeliverable'", "op-parked")

    bill = await diary.bill("op-parked", 0)
    await diary.command(f"/v1/bills/{bill['bill_id']}/waive", {"reason": "moved abroad"})

    await wait_until_found(diary, "AvtalParked IS NULL", "op-parked")


async def test_the_next_renewal_attribute_follows_renewals_and_cancellations(diary: Diary) -> None:
    await diary.sell("op-renewing")
    period = (await diary.contract("op-renewing"))["current_period"]
    midnight = local_midnight(date.fromisoformat(period["end"]), "Europe/Stockholm")
    before, after = (f"'{midnight + hours:%Y-%m-%dT%H:%M:%SZ}'" for hours in (timedelta(hours=-1), timedelta(hours=1)))

    await wait_until_found(diary, f"AvtalNextRenewal > {before} AND AvtalNextRenewal < {after}", "op-renewing")

    await diary.forward("31d")

    await wait_until_found(diary, f"AvtalNextRenewal > {after}", "op-renewing")

    await diary.command("/v1/contracts/op-renewing/cancel", {"at": "period_end"})

    await wait_until_found(diary, "AvtalNextRenewal IS NULL", "op-renewing")


async def test_a_paid_period_writes_search_attributes_once(diary: Diary) -> None:
    await diary.sell("op-cost")
    await diary.pay(await diary.bill("op-cost", 0))
    await diary.forward("62d")
    history = (await diary.histories("op-cost"))[0]
    upserts = [
        event for event in history.events if event.HasField("upsert_workflow_search_attributes_event_attributes")
    ]

    assert len(await diary.bills("op-cost")) == 3
    assert len(upserts) == 2


async def test_the_temporal_ui_describes_the_contract(diary: Diary) -> None:
    await diary.sell("op-described")
    handle = diary.stack.client.get_workflow_handle(workflow_id("demo", "op-described"))

    assert await (await handle.describe()).static_summary() == "Contract op-described of demo"
    assert "Billed every month" in str(await (await handle.describe()).static_details())
    assert "Access is on" in await diary.current_details("op-described")
