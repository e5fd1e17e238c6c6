"""The embedded stack as a diary drives it: sales, payments, staff's commands, faults, and the test clock."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowHistory
from temporalio.service import RPCError

from avtal.billogram.transport import http_client
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import civil_day
from avtal.embedded.durations import ZONE, add_duration, start_of_day
from avtal.embedded.forward import forward
from avtal.embedded.stack import Stack
from avtal.reconciliation.sweep import Reconciler
from avtal.store.engine.cipher import Cipher
from workflows.messages import workflow_id

CONCURRENCY_MAX = 8
LIVE = sorted(set(ContractStatus) - {ContractStatus.ENDED})
HISTORIES = Path(__file__).parent.parent / "workflows" / "histories"

Json = dict[str, Any]  # a body of the API


def sale(contract_id: str, **changes: Any) -> Json:
    """A monthly contract of a subscriber with an e-mail address. Any field may be changed."""
    return {
        "contract_id": contract_id,
        "subscriber": {"subscriber_id": f"s-{contract_id}", "name": "Anna Lundberg", "email": "anna@example.com"},
        "lines": [{"title": "Global Medium", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}],
        "interval": {"unit": "month", "count": 1},
    } | changes


class Diary:
    """One running stack. What it returns is what the API returns."""

    def __init__(self, stack: Stack, *, record: bool) -> None:
        self.stack = stack
        addresses = stack.addresses
        key = {"Authorization": f"Bearer {addresses.api_key}"}
        self.api = httpx.AsyncClient(base_url=addresses.web, headers=key, timeout=30)
        self.sandbox = httpx.AsyncClient(base_url=addresses.sandbox, timeout=30)
        self.billogram = httpx.AsyncClient(
            base_url=f"{addresses.sandbox}/api/v2", auth=(addresses.billogram_user, addresses.billogram_key), timeout=30
        )
        self._record = record

    async def close(self) -> None:
        for client in (self.api, self.sandbox, self.billogram):
            await client.aclose()

    async def get(self, path: str) -> Json:
        response = await self.api.get(path)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def sell(self, contract_id: str, **changes: Any) -> Json:
        """Sells a contract and waits until its first bill is no longer `creating`."""
        response = await self.api.post("/v1/contracts", json=sale(contract_id, **changes))
        assert response.status_code == 201, response.text
        await self.wait_until(lambda: self.is_created(contract_id, 0))
        return dict(response.json())

    async def contract(self, contract_id: str) -> Json:
        return await self.get(f"/v1/contracts/{contract_id}")

    async def bills(self, contract_id: str) -> list[Json]:
        return list((await self.get(f"/v1/contracts/{contract_id}/bills?limit=200"))["items"])

    async def bill(self, contract_id: str, period: int) -> Json:
        """The newest revision of that period's bill."""
        return [bill for bill in await self.bills(contract_id) if bill["period"]["number"] == period][-1]

    async def command(self, path: str, body: Json | None = None) -> httpx.Response:
        return await self.api.post(path, json=body)

    async def set_policy(self, **changes: Any) -> None:
        response = await self.api.put("/v1/policy", json=changes)
        assert response.status_code == 200, response.text

    async def pay(self, bill: Json, amount: str | None = None) -> None:
        """Pays the bill at Billogram and waits until the callback is applied."""
        body = {"amount": amount} if amount else {}
        paid = await self.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json=body)
        assert paid.status_code == 200, paid.text
        await self.drain()

    async def staff(self, verb: str, path: str, body: Json | None = None) -> Json:
        """Sends a request as Billogram's staff and waits until its callbacks are applied."""
        response = await self.billogram.request(verb, path, json=body)
        assert response.status_code == 200, response.text
        await self.drain()
        return dict(response.json()["data"])

    async def invoices(self, bill: Json) -> list[Json]:
        """The bill's invoices at Billogram."""
        response = await self.sandbox.get("/sandbox/billograms", params={"custom": bill["bill_id"]})
        assert response.status_code == 200, response.text
        return list(response.json()["billograms"])

    async def forward(self, duration: str) -> None:
        await self._forward(add_duration(self.stack.clock.now(), duration))

    async def forward_into(self, day: str) -> None:
        await self._forward(start_of_day(day))

    async def _forward(self, target: datetime) -> None:
        await asyncio.to_thread(forward, self.stack.data_dir, self.stack.clock, target, lambda _now: None)

    async def drain(self) -> None:
        """Waits until every callback is delivered and applied and every contract is idle."""
        await self.forward("1s")

    async def wait_until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not await holds():
            assert time.monotonic() < deadline, f"not true within {seconds} s"
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def faults(self, wanted: Json) -> AsyncIterator[None]:
        """The sandbox misbehaves inside the block."""
        assert (await self.sandbox.put("/sandbox/faults", json=wanted)).status_code == 200
        try:
            yield
        finally:
            assert (await self.sandbox.put("/sandbox/faults", json={})).status_code == 200

    async def reconcile(self) -> None:
        """Runs one sweep and waits until its findings are applied."""
        cipher = Cipher(self.stack.secrets.cipher_key)
        async with http_client() as http:
            await Reconciler(self.stack.database, cipher, http, self.stack.clock, lambda: None).sweep("demo")
        await self.drain()

    async def has_status(self, contract_id: str, period: int, status: str) -> bool:
        found = [bill for bill in await self.bills(contract_id) if bill["period"]["number"] == period]
        return bool(found) and found[-1]["status"] == status

    def today(self) -> date:
        return civil_day(self.stack.clock.now(), ZONE)

    async def is_running(self, contract_id: str) -> bool:
        handle = self.stack.client.get_workflow_handle(workflow_id("demo", contract_id))
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    async def current_details(self, contract_id: str) -> str:
        """What the Temporal UI shows of the contract's state."""
        handle = self.stack.client.get_workflow_handle(workflow_id("demo", contract_id))
        metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(metadata.current_details)

    async def end_all_contracts(self) -> None:
        """Cancels every live contract and terminates every workflow, so that none delays the next diary."""
        for contract_id in await self.live_contracts():
            await self.command(f"/v1/contracts/{contract_id}/cancel", {"at": "now"})
        await self.wait_until(self.all_ended)
        async for running in self.stack.client.list_workflows("ExecutionStatus = 'Running'"):
            with suppress(RPCError):
                await self.stack.client.get_workflow_handle(running.id).terminate("end of the diary")

    async def live_contracts(self) -> list[str]:
        lists = [await self.get(f"/v1/contracts?status={status}&limit=200") for status in LIVE]
        return [contract["contract_id"] for found in lists for contract in found["items"]]

    async def all_ended(self) -> bool:
        return not await self.live_contracts()

    async def histories(self, contract_id: str) -> list[WorkflowHistory]:
        """The histories of the contract's runs, from the first to the last."""
        identity = workflow_id("demo", contract_id)
        handle = self.stack.client.get_workflow_handle(identity)
        run_id: str | None = (await handle.describe()).run_id
        runs: list[WorkflowHistory] = []
        while run_id:
            history = await self.stack.client.get_workflow_handle(identity, run_id=run_id).fetch_history()
            runs.insert(0, history)
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        return runs

    async def record(self, contract_id: str, kind: str) -> None:
        """Writes the contract's histories for replay, with `--record-histories`."""
        if not self._record:
            return
        for number, history in enumerate(await self.histories(contract_id)):
            (HISTORIES / f"{kind}.{number}.json").write_text(anonymized(history.to_json()) + "\n")

    async def is_created(self, contract_id: str, period: int) -> bool:
        found = [bill for bill in await self.bills(contract_id) if bill["period"]["number"] == period]
        return bool(found) and found[-1]["status"] != "creating"


async def in_parallel(work: Iterable[Awaitable[object]]) -> None:
    limit = asyncio.Semaphore(CONCURRENCY_MAX)

    async def limited(one: Awaitable[object]) -> None:
        async with limit:
            await one

    await asyncio.gather(*(limited(one) for one in work))


def anonymized(history: str) -> str:
    """Without process names, host names, and file paths of the machine."""
    without_traces = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history)
    return re.sub(r'"[0-9]+@[^"]*"', '"test"', without_traces)
