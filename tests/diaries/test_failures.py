"""Crashes, lost responses, and repeated messages: one contract, each fact once, one invoice per period."""

import hashlib
import hmac
import json
import os
import signal
import time

from avtal.store.accounts.accounts import platform_credentials, set_platform
from avtal.store.engine.cipher import Cipher
from tests.diaries.diary import Diary, sale
from tests.diaries.proxy import proxy


async def test_the_same_sale_twice_is_one_contract(diary: Diary) -> None:
    sold = await diary.sell("twice")
    repeated = await diary.api.post("/v1/contracts", json=sale("twice"))
    line = {"title": "Global Large", "quantity": 1, "unit_price": "595.00", "vat_rate": "25"}
    other = await diary.api.post("/v1/contracts", json=sale("twice", lines=[line]))

    assert repeated.status_code == 200
    assert repeated.json()["terms"] == sold["terms"]
    assert other.status_code == 409
    assert [len(await diary.invoices(bill)) for bill in await diary.bills("twice")] == [1]


async def test_a_repeated_callback_changes_nothing_and_a_forged_one_is_refused(diary: Diary) -> None:
    """EDGE-15."""
    await diary.sell("echo")
    bill = await diary.bill("echo", 0)
    await diary.pay(bill, "100.00")
    callbacks = (await diary.sandbox.get("/sandbox/callbacks", params={"billogram_id": bill["billogram_id"]})).json()
    body = json.dumps(callbacks["callbacks"][-1]["body"]).encode()
    before = await diary.get(f"/v1/bills/{bill['bill_id']}")
    repeated = await _send_callback(diary, body, diary.stack.secrets.callback_key)
    renamed = body.replace(callbacks["callbacks"][-1]["callback_id"].encode(), b"another-id")
    same_event = await _send_callback(diary, renamed, diary.stack.secrets.callback_key)
    await diary.drain()
    forged = await _send_callback(diary, body, "another key")
    metrics = (await diary.api.get("/metrics")).text

    assert (repeated, same_event, forged) == (200, 200, 401)
    assert await diary.get(f"/v1/bills/{bill['bill_id']}") == before
    assert before["remaining"] == "295.00"
    assert 'avtal_callbacks_received_total{outcome="bad_signature"} 1.0' in metrics


async def test_a_lost_response_leaves_one_invoice(diary: Diary) -> None:
    """The subscriber is already a customer at Billogram."""
    await diary.sell("earlier")
    subscriber = {"subscriber_id": "s-earlier", "name": "Anna Lundberg"}
    async with diary.faults({"api": {"fail_after_store": 1.0}}):
        await diary.sell("lost", subscriber={**subscriber, "email": "anna@example.com"})
        bill = await diary.bill("lost", 0)

    assert bill["status"] == "open"
    assert len(await diary.invoices(bill)) == 1


async def test_a_worker_killed_before_recording_the_response_leaves_one_invoice(diary: Diary) -> None:
    """EDGE-35."""

    async def kill_worker() -> None:
        pid = diary.stack.parts["worker"].pid
        if pid is not None and not kills:
            kills.append(pid)
            os.kill(pid, signal.SIGKILL)

    kills: list[int] = []
    async with proxy(diary.stack.addresses.sandbox, "/api/v2/billogram", kill_worker) as url:
        _use_billogram_at(diary, url)
        await diary.sell("killed")
    _use_billogram_at(diary, f"{diary.stack.addresses.sandbox}/api/v2")
    bill = await diary.bill("killed", 0)
    await diary.pay(bill)

    assert len(kills) == 1
    assert diary.stack.parts["worker"].pid not in kills
    assert len(await diary.invoices(bill)) == 1
    assert (await diary.bill("killed", 0))["status"] == "paid"


async def test_without_temporal_sales_and_callbacks_are_stored_and_commands_refused(diary: Diary) -> None:
    await diary.sell("present")
    bill = await diary.bill("present", 0)
    await diary.stack.parts["temporal"].stop()
    refused = await diary.command("/v1/contracts/present/cancel", {"at": "period_end"})
    sold = await diary.api.post("/v1/contracts", json=sale("absent"))
    await diary.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json={})
    await diary.wait_until(lambda: diary.has_status("present", 0, "paid"))
    await diary.stack.parts["temporal"].start()
    await diary.wait_until(lambda: diary.has_status("absent", 0, "open"))
    await diary.drain()

    assert refused.status_code == 503
    assert sold.status_code == 201
    assert (await diary.contract("present"))["status"] == "active"
    assert (await diary.command("/v1/contracts/present/cancel", {"at": "period_end"})).status_code == 200


async def test_cancelling_the_workflow_does_not_cancel_the_contract(diary: Diary) -> None:
    await diary.sell("steady")
    await diary.stack.client.get_workflow_handle("contract:demo:steady").cancel()
    await diary.forward_into(str((await diary.contract("steady"))["next_renewal"]))

    assert await diary.is_running("steady")
    assert len(await diary.bills("steady")) == 2


async def test_a_terminated_workflow_is_restarted_with_its_bills(diary: Diary) -> None:
    await diary.sell("phoenix")
    await diary.forward_into(str((await diary.contract("phoenix"))["next_renewal"]))
    await diary.stack.client.get_workflow_handle("contract:demo:phoenix").terminate()
    await diary.sandbox.post(f"/sandbox/billograms/{(await diary.bill('phoenix', 0))['billogram_id']}/pay", json={})
    await diary.wait_until(lambda: diary.is_running("phoenix"))
    await diary.drain()

    await diary.stack.client.get_workflow_handle("contract:demo:phoenix").terminate()
    cancelled = await diary.command("/v1/contracts/phoenix/cancel", {"at": "period_end"})

    assert cancelled.json()["status"] == "cancelling"
    assert [bill["status"] for bill in await diary.bills("phoenix")] == ["paid", "open"]
    assert [len(await diary.invoices(bill)) for bill in await diary.bills("phoenix")] == [1, 1]


async def test_a_workflow_terminated_during_creation_is_restarted_on_the_clock(diary: Diary) -> None:
    async with diary.faults({"api": {"status_503": 1.0}}):
        assert (await diary.api.post("/v1/contracts", json=sale("felled"))).status_code == 201
        await diary.wait_until(lambda: diary.has_status("felled", 0, "creating"))
        await diary.stack.client.get_workflow_handle("contract:demo:felled").terminate()
        await diary.drain()
    cancelled = await diary.command("/v1/contracts/felled/cancel", {"at": "period_end"})
    await diary.forward_into(str((await diary.bill("felled", 0))["period"]["end"]))

    assert cancelled.json()["status"] == "cancelling"
    assert (await diary.contract("felled"))["status"] == "ended"
    assert [bill["status"] for bill in await diary.bills("felled")] == ["open"]


async def _send_callback(diary: Diary, body: bytes, key: str) -> int:
    timestamp = f"{time.time():.6f}"
    signature = hmac.new(key.encode(), f"{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Billogram-Request-Timestamp": timestamp, "Billogram-Signature": signature}
    response = await diary.api.post("/callbacks/billogram/demo", content=body, headers=headers)
    return response.status_code


def _use_billogram_at(diary: Diary, url: str) -> None:
    cipher = Cipher(diary.stack.secrets.cipher_key)
    with diary.stack.database.write() as session:
        credentials = platform_credentials(session, cipher, "demo")
        assert credentials is not None
        set_platform(session, cipher, "demo", credentials.model_copy(update={"url": url}))
