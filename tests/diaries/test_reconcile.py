"""Lost callbacks: after one sweep the API shows the same as without any loss.

The same contracts run twice, once with every callback and once with none. The sandbox counts the sweep's requests.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.diaries.diary import Diary, Json

KINDS = ("paid", "part", "credited", "sent", "deleted", "lost", "recalled", "respite", "open")


@pytest.fixture(autouse=True)
def end_contracts() -> None:
    """Contracts are not ended: a sweep would find what that left at Billogram."""


@dataclass(frozen=True)
class CommandResult:
    status: int
    stdout: str
    stderr: str


async def avtal(diary: Diary, *arguments: str) -> CommandResult:
    """Runs the command `avtal` on the stack's store."""
    stack = diary.stack
    environment = os.environ | {
        "AVTAL_DATA_DIR": str(stack.data_dir),
        "AVTAL_DATABASE_URL": stack.database.url,
        "AVTAL_SECRET_KEY": stack.secrets.cipher_key,
        "AVTAL_TEST_CLOCK": "true",
    }
    command = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("avtal")), *arguments,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = await command.communicate()
    return CommandResult(command.returncode or 0, stdout.decode(), stderr.decode())


async def sell_all(diary: Diary, name: str) -> dict[str, Json]:
    """Sells a contract for each kind and returns their bills. Those to be sent or deleted are drafts; one is paid."""
    bills = {}
    for kind in KINDS:
        draft: Json = {"policy": {"mode": "draft"}} if kind in ("sent", "deleted") else {}
        await diary.sell(f"{name}-{kind}", **draft)
        bills[kind] = await diary.bill(f"{name}-{kind}", 0)
    await diary.pay(bills["recalled"])
    return bills


async def change_all(diary: Diary, bills: dict[str, Json]) -> None:
    """Each bill gets what its kind is named for."""
    at = {kind: f"/sandbox/billograms/{bill['billogram_id']}" for kind, bill in bills.items()}
    by = {kind: f"/billogram/{bill['billogram_id']}" for kind, bill in bills.items()}
    until = diary.today().replace(year=diary.today().year + 1, day=1).isoformat()
    responses = [
        await diary.sandbox.post(f"{at['paid']}/pay", json={"payer_name": "Anna Lundberg"}),
        await diary.sandbox.post(f"{at['part']}/pay", json={"amount": "95.00"}),
        await diary.sandbox.post(f"{at['recalled']}/recall", json={}),
        await diary.billogram.post(f"{by['credited']}/command/credit", json={"mode": "full"}),
        await diary.billogram.post(f"{by['sent']}/command/send", json={"method": "Email"}),
        await diary.billogram.delete(by["deleted"]),
        await diary.billogram.post(f"{by['lost']}/command/confirmed-loss", json={}),
        await diary.billogram.post(f"{by['respite']}/command/respite", json={"date": until}),
    ]
    assert [response.status_code for response in responses] == [200] * len(responses)
    await diary.drain()


async def shown_by_api(diary: Diary, name: str) -> dict[str, list[Json]]:
    """The responses for each contract and its bill, without what differs between any two contracts."""
    own = {"bill_id", "contract_id", "billogram_id", "invoice_no", "ocr_number", "invoice_url", "open_bills", "terms"}
    result = {}
    for kind in KINDS:
        contract, bill = await diary.contract(f"{name}-{kind}"), await diary.bill(f"{name}-{kind}", 0)
        history = [entry["type"] for entry in (await diary.get(f"/v1/bills/{bill['bill_id']}"))["history"]]
        contract["parked"] = [parked["reason"] for parked in contract["parked"]]
        contract["access"].pop("since")
        contract["access"].pop("explanation")
        if bill["parked"]:
            bill["parked"].pop("bill_id")
        fields = [{key: value for key, value in one.items() if key not in own} for one in (contract, bill)]
        result[kind] = [*fields, {"history": sorted(set(history) - {"invoiced"})}]
    return result


async def test_one_sweep_makes_up_for_all_lost_callbacks(diary: Diary) -> None:
    """EDGE-16."""
    complete, lost = await sell_all(diary, "complete"), await sell_all(diary, "lost")
    await change_all(diary, complete)
    async with diary.faults({"callbacks": {"drop": 1}}):
        await change_all(diary, lost)
    before = await shown_by_api(diary, "lost")
    await diary.sandbox.post("/sandbox/stats/reset")
    first = await avtal(diary, "reconcile", "demo", "--json")
    requests = (await diary.sandbox.get("/sandbox/stats")).json()["requests"]
    await diary.drain()
    after = await shown_by_api(diary, "lost")
    second = await avtal(diary, "reconcile", "--json")
    [report], [repeated] = json.loads(first.stdout), json.loads(second.stdout)

    assert (first.status, first.stderr) == (0, "")
    assert before != await shown_by_api(diary, "complete")
    assert after == await shown_by_api(diary, "complete")
    assert {one["bill_id"]: one["kind"] for one in report["findings"]} == {
        "lost-paid:0:r0": "settled",
        "lost-credited:0:r0": "settled",
        "lost-sent:0:r0": "dispatched",
        "lost-deleted:0:r0": "deleted",
        "lost-lost:0:r0": "lost",
        "lost-recalled:0:r0": "reopened",
        "lost-part:0:r0": "changed",
        "lost-respite:0:r0": "changed",
    }
    assert requests == {"GET /billogram": 2, "GET /billogram/{id}": 8}
    assert (repeated["findings"], repeated["read"], repeated["pages"]) == ([], 0, 2)


async def test_a_reversed_payment_reopens_a_bill_that_can_be_paid_again(diary: Diary) -> None:
    await diary.sell("recalled")
    await diary.pay(await diary.bill("recalled", 0))
    paid = await diary.bill("recalled", 0)
    await diary.sandbox.post(f"/sandbox/billograms/{paid['billogram_id']}/recall")
    await diary.drain()
    reopened, contract = await diary.bill("recalled", 0), await diary.contract("recalled")
    await diary.pay(reopened)

    assert (paid["status"], reopened["status"], reopened["remaining"]) == ("paid", "open", "395.00")
    assert contract["open_bills"] == ["recalled:0:r0"]
    assert (await diary.bill("recalled", 0))["status"] == "paid"


async def test_a_respite_moves_the_due_date_and_its_removal_moves_it_back(diary: Diary) -> None:
    await diary.sell("respite")
    bill = await diary.bill("respite", 0)
    until = diary.today().replace(year=diary.today().year + 1, day=1).isoformat()
    await diary.staff("POST", f"/billogram/{bill['billogram_id']}/command/respite", {"date": until})
    given = await diary.bill("respite", 0)
    await diary.staff("POST", f"/billogram/{bill['billogram_id']}/command/remove-respite", {})
    removed = await diary.bill("respite", 0)

    assert given["due_date"] == until
    assert removed["due_date"] == bill["due_date"]


async def test_a_failed_sweep_prints_one_line_and_exits_with_1(diary: Diary) -> None:
    async with diary.faults({"api": {"down": True}}):
        failed = await avtal(diary, "reconcile", "demo")

    assert (failed.status, failed.stdout) == (1, "")
    assert failed.stderr.startswith("demo: Billogram could not be read")
    assert len(failed.stderr.splitlines()) == 1


async def test_a_sweep_prints_a_table_of_its_findings(diary: Diary) -> None:
    await diary.sell("table")
    async with diary.faults({"callbacks": {"drop": 1}}):
        await diary.sandbox.post(f"/sandbox/billograms/{(await diary.bill('table', 0))['billogram_id']}/pay", json={})
    swept = await avtal(diary, "reconcile")

    assert swept.status == 0
    assert "table:0:r0" in swept.stdout
    assert "demo: 1 found; 2 pages listed, 1 invoices read" in swept.stdout
