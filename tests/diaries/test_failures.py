"""Whatever dies, is lost, or comes twice: one contract, each fact once, one invoice per period, nothing skipped."""

import hashlib
import hmac
import json
import os
import signal
import time

from avtal.store.accounts.accounts import platform_access, set_platform
from avtal.store.engine.cipher import Cipher
from tests.diaries.gate import gate
from tests.diaries.life import Life, sale


async def test_the_same_sale_twice_is_one_contract_and_other_terms_are_refused(life: Life) -> None:
    sold = await life.sell("twice")
    again = await life.api.post("/v1/contracts", json=sale("twice"))
    line = {"title": "Global Large", "quantity": 1, "unit_price": "595.00", "vat_rate": "25"}
    other = await life.api.post("/v1/contracts", json=sale("twice", lines=[line]))

    assert again.status_code == 200
    assert again.json()["terms"] == sold["terms"]
    assert other.status_code == 409
    assert [len(await life.invoices(bill)) for bill in await life.bills("twice")] == [1]


async def test_a_callback_that_comes_twice_changes_nothing_and_a_forged_one_is_refused(life: Life) -> None:
    """EDGE-15."""
    await life.sell("echo")
    bill = await life.bill("echo", 0)
    await life.pay(bill, "100.00")
    sent = (await life.sandbox.get("/sandbox/callbacks", params={"billogram_id": bill["billogram_id"]})).json()
    body = json.dumps(sent["callbacks"][-1]["body"]).encode()
    before = await life.get(f"/v1/bills/{bill['bill_id']}")
    repeated = await _call_back(life, body, life.stack.secrets.callback_key)
    renamed = body.replace(sent["callbacks"][-1]["callback_id"].encode(), b"another-id")
    retold = await _call_back(life, renamed, life.stack.secrets.callback_key)
    await life.quiet()
    forged = await _call_back(life, body, "another key")
    metrics = (await life.api.get("/metrics")).text

    assert (repeated, retold, forged) == (200, 200, 401)
    assert await life.get(f"/v1/bills/{bill['bill_id']}") == before
    assert before["remaining"] == "295.00"
    assert 'avtal_callbacks_received_total{outcome="bad_signature"} 1.0' in metrics


async def test_an_answer_that_is_lost_after_the_platform_stored_it_leaves_one_invoice(life: Life) -> None:
    await life.sell("kept")
    reader = {"subscriber_id": "s-kept", "name": "Anna Lundberg"}
    async with life.faults({"api": {"fail_after_store": 1.0}}):
        await life.sell("lost", subscriber={**reader, "email": "anna@example.com"})
        bill = await life.bill("lost", 0)

    assert bill["status"] == "open"
    assert len(await life.invoices(bill)) == 1


async def test_a_worker_killed_between_the_platforms_answer_and_its_recording_leaves_one_invoice(life: Life) -> None:
    """EDGE-35."""

    async def kill_worker() -> None:
        pid = life.stack.parts["worker"].pid
        if pid is not None and not kills:
            kills.append(pid)
            os.kill(pid, signal.SIGKILL)

    kills: list[int] = []
    async with gate(life.stack.addresses.sandbox, "/api/v2/billogram", kill_worker) as url:
        _point_to(life, url)
        await life.sell("killed")
    _point_to(life, f"{life.stack.addresses.sandbox}/api/v2")
    bill = await life.bill("killed", 0)
    await life.pay(bill)

    assert len(kills) == 1
    assert len(await life.invoices(bill)) == 1
    assert (await life.bill("killed", 0))["status"] == "paid"


async def test_with_temporal_away_sales_and_callbacks_are_kept_and_commands_change_nothing(life: Life) -> None:
    await life.sell("present")
    bill = await life.bill("present", 0)
    await life.stack.parts["temporal"].stop()
    refused = await life.command("/v1/contracts/present/cancel", {"at": "period_end"})
    sold = await life.api.post("/v1/contracts", json=sale("absent"))
    await life.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json={})
    await life.until(lambda: life.has_status("present", 0, "paid"))
    await life.stack.parts["temporal"].start()
    await life.until(lambda: life.has_status("absent", 0, "open"))
    await life.quiet()

    assert refused.status_code == 503
    assert sold.status_code == 201
    assert (await life.contract("present"))["status"] == "active"
    assert (await life.command("/v1/contracts/present/cancel", {"at": "period_end"})).status_code == 200


async def test_a_cancellation_in_temporal_is_no_cancellation_of_the_contract(life: Life) -> None:
    await life.sell("steady")
    await life.stack.client.get_workflow_handle("contract:demo:steady").cancel()
    await life.forward_into(str((await life.contract("steady"))["next_renewal"]))

    assert await life.is_running("steady")
    assert len(await life.bills("steady")) == 2


async def test_a_contract_whose_process_was_terminated_is_started_anew_and_finds_its_bills(life: Life) -> None:
    await life.sell("phoenix")
    await life.forward_into(str((await life.contract("phoenix"))["next_renewal"]))
    await life.stack.client.get_workflow_handle("contract:demo:phoenix").terminate()
    await life.sandbox.post(f"/sandbox/billograms/{(await life.bill('phoenix', 0))['billogram_id']}/pay", json={})
    await life.until(lambda: life.is_running("phoenix"))
    await life.quiet()

    await life.stack.client.get_workflow_handle("contract:demo:phoenix").terminate()
    cancelled = await life.command("/v1/contracts/phoenix/cancel", {"at": "period_end"})

    assert cancelled.json()["status"] == "cancelling"
    assert [bill["status"] for bill in await life.bills("phoenix")] == ["paid", "open"]
    assert [len(await life.invoices(bill)) for bill in await life.bills("phoenix")] == [1, 1]


async def test_a_contract_terminated_at_work_and_started_anew_goes_on_with_the_clock(life: Life) -> None:
    async with life.faults({"api": {"status_503": 1.0}}):
        assert (await life.api.post("/v1/contracts", json=sale("felled"))).status_code == 201
        await life.until(lambda: life.has_status("felled", 0, "creating"))
        await life.stack.client.get_workflow_handle("contract:demo:felled").terminate()
        await life.quiet()
    cancelled = await life.command("/v1/contracts/felled/cancel", {"at": "period_end"})
    await life.forward_into(str((await life.bill("felled", 0))["period"]["end"]))

    assert cancelled.json()["status"] == "cancelling"
    assert (await life.contract("felled"))["status"] == "ended"
    assert [bill["status"] for bill in await life.bills("felled")] == ["open"]


async def _call_back(life: Life, body: bytes, key: str) -> int:
    stamp = f"{time.time():.6f}"
    signature = hmac.new(key.encode(), f"{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Billogram-Request-Timestamp": stamp, "Billogram-Signature": signature}
    answer = await life.api.post("/callbacks/billogram/demo", content=body, headers=headers)
    return answer.status_code


def _point_to(life: Life, url: str) -> None:
    cipher = Cipher(life.stack.secrets.cipher_key)
    with life.stack.database.write() as session:
        access = platform_access(session, cipher, "demo")
        assert access is not None
        set_platform(session, cipher, "demo", access.model_copy(update={"url": url}))
