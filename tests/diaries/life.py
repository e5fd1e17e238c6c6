"""A diary's tools: the embedded stack, real throughout, and what sellers, readers, staff, and the clock do to it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowHistory
from temporalio.service import RPCError

from avtal.contracts.periods import civil_day
from avtal.embedded.forward import forward
from avtal.embedded.stack import Stack
from avtal.embedded.timespan import ZONE, later, start_of
from workflows.messages import workflow_id

LIVING = ("active", "cancelling", "suspended")
HISTORIES = Path(__file__).parent.parent / "workflows" / "histories"

Json = dict[str, Any]  # as the API answers


def sale(contract_id: str, **changes: Any) -> Json:
    """A monthly contract for a reader with an e-mail address; every field may be changed."""
    return {
        "contract_id": contract_id,
        "subscriber": {"subscriber_id": f"s-{contract_id}", "name": "Anna Lundberg", "email": "anna@example.com"},
        "lines": [{"title": "Global Medium", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}],
        "interval": {"unit": "month", "count": 1},
    } | changes


class Life:
    """What happens to contracts on one stack, told in the words of those who do it."""

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
        answer = await self.api.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def sell(self, contract_id: str, **changes: Any) -> Json:
        """Sold, and its first bill no longer being made."""
        answer = await self.api.post("/v1/contracts", json=sale(contract_id, **changes))
        assert answer.status_code == 201, answer.text
        await self.until(lambda: self.is_made(contract_id, 0))
        return dict(answer.json())

    async def contract(self, contract_id: str) -> Json:
        return await self.get(f"/v1/contracts/{contract_id}")

    async def bills(self, contract_id: str) -> list[Json]:
        return list((await self.get(f"/v1/contracts/{contract_id}/bills?limit=200"))["items"])

    async def bill(self, contract_id: str, period: int) -> Json:
        """The newest revision of that period's bill."""
        return [bill for bill in await self.bills(contract_id) if bill["period"]["number"] == period][-1]

    async def command(self, path: str, body: Json | None = None) -> httpx.Response:
        return await self.api.post(path, json=body)

    async def pay(self, bill: Json, amount: str | None = None) -> None:
        """Money arrives, and its callback has been applied."""
        body = {"amount": amount} if amount else {}
        paid = await self.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/pay", json=body)
        assert paid.status_code == 200, paid.text
        await self.quiet()

    async def staff(self, verb: str, path: str, body: Json | None = None) -> Json:
        """What people do in Billogram, and its callbacks have been applied."""
        answer = await self.billogram.request(verb, path, json=body)
        assert answer.status_code == 200, answer.text
        await self.quiet()
        return dict(answer.json()["data"])

    async def invoices(self, bill: Json) -> list[Json]:
        """What the platform holds for one bill."""
        answer = await self.sandbox.get("/sandbox/billograms", params={"custom": bill["bill_id"]})
        return list(answer.json()["billograms"])

    async def forward(self, duration: str) -> None:
        await self._forward(later(self.stack.clock.now(), duration))

    async def forward_into(self, day: str) -> None:
        await self._forward(start_of(day))

    async def _forward(self, target: datetime) -> None:
        await asyncio.to_thread(forward, self.stack.data_dir, self.stack.clock, target, lambda _now: None)

    async def quiet(self) -> None:
        """Every callback delivered, recorded, and told; the contracts at rest."""
        await self.forward("1s")

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not await holds():
            assert time.monotonic() < deadline, "it never came true"
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def faults(self, wanted: Json) -> AsyncIterator[None]:
        """The sandbox misbehaves within."""
        assert (await self.sandbox.put("/sandbox/faults", json=wanted)).status_code == 200
        try:
            yield
        finally:
            await self.sandbox.put("/sandbox/faults", json={})

    async def has_status(self, contract_id: str, period: int, status: str) -> bool:
        found = [bill for bill in await self.bills(contract_id) if bill["period"]["number"] == period]
        return bool(found) and found[-1]["status"] == status

    def today(self) -> date:
        return civil_day(self.stack.clock.now(), ZONE)

    async def is_running(self, contract_id: str) -> bool:
        handle = self.stack.client.get_workflow_handle(workflow_id("demo", contract_id))
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    async def current_details(self, contract_id: str) -> str:
        """What the Temporal UI shows of the contract."""
        handle = self.stack.client.get_workflow_handle(workflow_id("demo", contract_id))
        shown = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(shown.current_details)

    async def end_all(self) -> None:
        """Each living contract is cancelled, and Temporal forgets it: what still comes for it finds that it is over."""
        for contract_id in await self.living():
            await self.command(f"/v1/contracts/{contract_id}/cancel", {"at": "now"})
        await self.until(self.are_over)
        async for running in self.stack.client.list_workflows("ExecutionStatus = 'Running'"):
            with suppress(RPCError):
                await self.stack.client.get_workflow_handle(running.id).terminate("its diary is over")

    async def living(self) -> list[str]:
        lists = [await self.get(f"/v1/contracts?status={status}&limit=200") for status in LIVING]
        return [contract["contract_id"] for found in lists for contract in found["items"]]

    async def are_over(self) -> bool:
        return not await self.living()

    async def histories(self, contract_id: str) -> list[WorkflowHistory]:
        """The contract's runs, from the first to the last."""
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
        """Keeps the contract's histories for replay, if the tests were asked to record."""
        if not self._record:
            return
        for number, history in enumerate(await self.histories(contract_id)):
            (HISTORIES / f"{kind}.{number}.json").write_text(of_no_machine(history.to_json()) + "\n")

    async def is_made(self, contract_id: str, period: int) -> bool:
        made = [bill for bill in await self.bills(contract_id) if bill["period"]["number"] == period]
        return bool(made) and made[-1]["status"] != "creating"


def of_no_machine(history: str) -> str:
    """Without the names of processes, hosts, and files of the machine that it was recorded on."""
    without_traces = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history)
    return re.sub(r'"[0-9]+@[^"]*"', '"test"', without_traces)
