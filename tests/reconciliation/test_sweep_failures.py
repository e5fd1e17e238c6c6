"""Sweeps beside lost callbacks, other sweeps, and a failing platform."""

import asyncio
import random

import pytest
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram import invoice_reads as readings
from avtal.billogram.errors import PlatformUnavailable
from avtal.contracts.bills.bill import BillStatus, FactType, bill_id
from avtal.reconciliation.findings import Kind
from avtal.store.billing.facts import facts_of
from avtal.store.tables import BillRow
from tests.billogram.builders import responding
from tests.reconciliation.swept_account import (
    BILL,
    MISSED,
    SweptAccount,
    record,
)
from tests.store.builders import ACCOUNT


@pytest.mark.parametrize("seed", range(6))
async def test_one_sweep_completes_the_facts_after_lost_and_repeated_callbacks(
    account: SweptAccount, seed: int
) -> None:
    chance = random.Random(seed)
    actions = {f"c-{number}": chance.choice([*MISSED.values()])[0] for number in range(4)}
    other = account.platform.other
    bills = {contract_id: await account.bill(contract_id) for contract_id in actions}
    await other.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/", "sign_key": "s"})
    await other.control("PUT", "/faults", {"callbacks": {"drop": 1}})
    for contract_id, its in actions.items():
        for action in its:
            await other.advance("1h")
            await action(account, bills[contract_id])
    bodies = [each["body"] for each in await other.callbacks()]
    await other.control("PUT", "/account", {"callback_url": None, "sign_key": None})
    some = chance.sample(bodies, len(bodies) // 2)
    for body in chance.sample(some * 2, len(some) * 2):
        await record(account, body)
    await account.sweep()
    again = await account.sweep()

    for contract_id, billogram_id in bills.items():
        remote = await other.get(billogram_id)
        assert account.events(contract_id) == {event["event_uuid"] for event in remote["events"]}
    assert (again.findings, again.read) == ((), 0)


async def test_a_recall_callback_reads_the_billogram_and_reopens_the_bill(account: SweptAccount) -> None:
    """The callback has neither `custom` nor sums."""
    billogram_id = await account.bill()
    other = account.platform.other
    await other.pay(billogram_id)
    await account.sweep()
    await other.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/", "sign_key": "s"})
    await other.control("PUT", "/faults", {"callbacks": {"drop": 1}})
    await account.recall(billogram_id)
    (body,) = [each["body"] for each in await other.callbacks()]
    await other.control("PUT", "/account", {"callback_url": None, "sign_key": None})
    await account.platform.requests()
    await record(account, body)
    requests = await account.platform.requests()
    with account.database.read() as session:
        facts = facts_of(session, session.get_one(BillRow, (ACCOUNT, BILL)))

    assert [fact.amount_minor for fact in facts if fact.type is FactType.PAYMENT_REVERSED] == [395_00]
    assert (account.row().status, requests) == (BillStatus.OPEN, {"GET /billogram/{id}": 1})
    assert await account.findings() == []


async def test_parallel_sweeps_record_everything_once(account: SweptAccount) -> None:
    for number in range(6):
        await account.platform.other.pay(await account.bill(f"c-{number}"))
    reports = await asyncio.gather(account.sweep(), account.sweep())

    assert sorted(one.bill_id or "" for report in reports for one in report.findings) == [
        bill_id(f"c-{number}", 0, 0) for number in range(6)
    ]
    assert account.messages() == 6


async def test_a_failed_read_is_retried_and_an_outage_ends_the_sweep(
    account: SweptAccount,
) -> None:
    await account.platform.other.pay(await account.bill())
    await account.platform.fails(status_503=0.4, retry_after=0)
    despite_failures = await account.findings()
    await account.platform.fails(down=True, retry_after=0)
    with pytest.raises(PlatformUnavailable):
        await account.sweep()

    assert despite_failures == [(Kind.SETTLED, BILL)]


async def test_a_long_retry_after_ends_the_sweep(account: SweptAccount) -> None:
    await account.platform.requests()
    await account.platform.fails(down=True, retry_after=600)
    with pytest.raises(PlatformUnavailable):
        await account.sweep()

    assert await account.platform.requests() == {"GET /billogram": 1}


async def test_an_endless_list_is_not_read_for_ever() -> None:
    page = {"status": "OK", "meta": {"total_count": 250}, "data": [{"id": "a", "state": "Unpaid"}] * 100}

    async def respond(_: BaseRequest) -> Response:
        return json_response(page)

    async with responding(respond) as platform:
        assert len([page async for page in readings.open_invoices(platform)]) == 12
