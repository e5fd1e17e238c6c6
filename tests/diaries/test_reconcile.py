"""Callbacks that are lost for ever: one sweep, and the API shows what it would have shown had nothing been lost.

The same life is led twice, once with every callback and once with none. The sandbox counts the requests of the sweep.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.diaries.life import Json, Life

KINDS = ("paid", "part", "credited", "sent", "deleted", "lost", "recalled", "respite", "open")


@pytest.fixture(autouse=True)
def ended_after() -> None:
    """A sweep would have to look at what the end of the others has left at the platform."""


@dataclass(frozen=True)
class Swept:
    status: int
    printed: str
    complained: str


async def avtal(life: Life, *arguments: str) -> Swept:
    """The command as an operator has it, on the stack's own store."""
    stack = life.stack
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
    printed, complained = await command.communicate()
    return Swept(command.returncode or 0, printed.decode(), complained.decode())


async def sold(life: Life, name: str) -> dict[str, Json]:
    """A contract for each kind of fate; those whose draft is sent or deleted are drafts. One is paid already."""
    bills = {}
    for kind in KINDS:
        draft: Json = {"policy": {"mode": "draft"}} if kind in ("sent", "deleted") else {}
        await life.sell(f"{name}-{kind}", **draft)
        bills[kind] = await life.bill(f"{name}-{kind}", 0)
    await life.pay(bills["recalled"])
    return bills


async def happens(life: Life, bills: dict[str, Json]) -> None:
    """What readers, banks, and staff do, each to one bill."""
    at = {kind: f"/sandbox/billograms/{bill['billogram_id']}" for kind, bill in bills.items()}
    by = {kind: f"/billogram/{bill['billogram_id']}" for kind, bill in bills.items()}
    until = life.today().replace(year=life.today().year + 1, day=1).isoformat()
    done = [
        await life.sandbox.post(f"{at['paid']}/pay", json={"payer_name": "Anna Lundberg"}),
        await life.sandbox.post(f"{at['part']}/pay", json={"amount": "95.00"}),
        await life.sandbox.post(f"{at['recalled']}/recall", json={}),
        await life.billogram.post(f"{by['credited']}/command/credit", json={"mode": "full"}),
        await life.billogram.post(f"{by['sent']}/command/send", json={"method": "Email"}),
        await life.billogram.delete(by["deleted"]),
        await life.billogram.post(f"{by['lost']}/command/confirmed-loss", json={}),
        await life.billogram.post(f"{by['respite']}/command/respite", json={"date": until}),
    ]
    assert [answer.status_code for answer in done] == [200] * len(done)
    await life.quiet()


async def shown(life: Life, name: str) -> dict[str, list[Json]]:
    """What the API shows of each contract and its bills, apart from what differs between any two contracts."""
    own = {"bill_id", "contract_id", "billogram_id", "invoice_no", "ocr_number", "invoice_url", "open_bills", "terms"}
    result = {}
    for kind in KINDS:
        contract, bill = await life.contract(f"{name}-{kind}"), await life.bill(f"{name}-{kind}", 0)
        history = [entry["type"] for entry in (await life.get(f"/v1/bills/{bill['bill_id']}"))["history"]]
        contract["parked"] = [parked["reason"] for parked in contract["parked"]]
        contract["access"].pop("since")
        contract["access"].pop("explanation")
        if bill["parked"]:
            bill["parked"].pop("bill_id")
        told = [{key: value for key, value in one.items() if key not in own} for one in (contract, bill)]
        result[kind] = [*told, {"history": sorted(set(history) - {"invoiced"})}]
    return result


async def test_after_one_sweep_the_api_shows_what_it_would_had_no_callback_been_lost(life: Life) -> None:
    """EDGE-16."""
    told, lost = await sold(life, "told"), await sold(life, "lost")
    await happens(life, told)
    async with life.faults({"callbacks": {"drop": 1}}):
        await happens(life, lost)
    before = await shown(life, "lost")
    await life.sandbox.post("/sandbox/stats/reset")
    first = await avtal(life, "reconcile", "demo", "--json")
    requests = (await life.sandbox.get("/sandbox/stats")).json()["requests"]
    await life.quiet()
    after = await shown(life, "lost")
    second = await avtal(life, "reconcile", "--json")
    [report], [again] = json.loads(first.printed), json.loads(second.printed)

    assert (first.status, first.complained) == (0, "")
    assert before != await shown(life, "told")
    assert after == await shown(life, "told")
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
    assert (again["findings"], again["read"], again["pages"]) == ([], 0, 2)


async def test_a_recall_reopens_a_bill_that_was_paid_and_it_can_be_paid_again(life: Life) -> None:
    await life.sell("recalled")
    await life.pay(await life.bill("recalled", 0))
    paid = await life.bill("recalled", 0)
    await life.sandbox.post(f"/sandbox/billograms/{paid['billogram_id']}/recall")
    await life.quiet()
    recalled, contract = await life.bill("recalled", 0), await life.contract("recalled")
    await life.pay(recalled)

    assert (paid["status"], recalled["status"], recalled["remaining"]) == ("paid", "open", "395.00")
    assert contract["open_bills"] == ["recalled:0:r0"]
    assert (await life.bill("recalled", 0))["status"] == "paid"


async def test_a_respite_moves_the_due_date_and_its_removal_moves_it_back(life: Life) -> None:
    await life.sell("respite")
    bill = await life.bill("respite", 0)
    until = life.today().replace(year=life.today().year + 1, day=1).isoformat()
    await life.staff("POST", f"/billogram/{bill['billogram_id']}/command/respite", {"date": until})
    given = await life.bill("respite", 0)
    await life.staff("POST", f"/billogram/{bill['billogram_id']}/command/remove-respite", {})
    removed = await life.bill("respite", 0)

    assert given["due_date"] == until
    assert removed["due_date"] == bill["due_date"]


async def test_a_platform_that_can_not_be_read_is_one_line_and_status_1(life: Life) -> None:
    async with life.faults({"api": {"down": True}}):
        failed = await avtal(life, "reconcile", "demo")

    assert (failed.status, failed.printed) == (1, "")
    assert failed.complained.startswith("demo: Billogram could not be read")
    assert len(failed.complained.splitlines()) == 1


async def test_an_operator_reads_a_table_of_what_was_found(life: Life) -> None:
    await life.sell("table")
    async with life.faults({"callbacks": {"drop": 1}}):
        await life.sandbox.post(f"/sandbox/billograms/{(await life.bill('table', 0))['billogram_id']}/pay", json={})
    swept = await avtal(life, "reconcile")

    assert swept.status == 0
    assert "table:0:r0" in swept.printed
    assert "demo: 1 found; 2 pages listed, 1 invoices read" in swept.printed
