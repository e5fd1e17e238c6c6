"""Measures a paid monthly cycle: history events, and requests to Billogram. `python -m benchmarks.cycle_cost`

Runs 24 cycles of one contract in automatic mode on an embedded stack. Counts all events of all runs after the first
bill, continue-as-new included, without the test clock's own events.
"""

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from avtal.contracts.schedule import Schedule
from avtal.embedded.forward import forward
from avtal.embedded.ports import any_ports
from avtal.embedded.stack import ACCOUNT, Stack, running_stack, supervise
from avtal.store.queries.bills import StoredBill, bills_of_contract
from avtal.store.queries.contracts import contract
from starter.sale import sell
from workflows.messages import workflow_id

CYCLES = 24
CONTRACT = "cycle-cost"
TEST_CLOCK_EVENTS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}
SALE = {
    "contract_id": CONTRACT,
    "subscriber": {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"},
    "lines": [{"title": "Global Medium", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}],
    "interval": {"unit": "month", "count": 1},
}


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder), any_ports(), headless=True) as stack:
            supervision = asyncio.create_task(supervise(stack))
            await measure(stack)
            supervision.cancel()
            await asyncio.gather(supervision, return_exceptions=True)


async def measure(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.addresses.sandbox) as sandbox:
        await asyncio.to_thread(sell, stack.database, ACCOUNT, SALE, stack.clock.now())
        await pay_newest(stack, sandbox, 0)
        before = await events(stack.client)
        await sandbox.post("/sandbox/stats/reset")
        started_at = time.monotonic()
        for number in range(1, CYCLES + 1):
            await move_to_renewal(stack, number)
            await pay_newest(stack, sandbox, number)
        seconds = time.monotonic() - started_at
        after = await events(stack.client)
        requests = (await sandbox.get("/sandbox/stats")).json()
    show(after - before, requests["requests"], seconds)


async def move_to_renewal(stack: Stack, number: int) -> None:
    target = await asyncio.to_thread(lambda: schedule(stack).renewal_instant(number))
    await asyncio.to_thread(forward, stack.data_dir, stack.clock, target, lambda _now: None)


async def pay_newest(stack: Stack, sandbox: httpx.AsyncClient, number: int) -> None:
    bill = await until(stack, number, "open")
    paid = await sandbox.post(f"/sandbox/billograms/{bill.billogram_id}/pay", json={})
    paid.raise_for_status()
    await until(stack, number, "paid")


async def until(stack: Stack, number: int, status: str) -> StoredBill:
    for _ in range(3000):
        found = await asyncio.to_thread(bills, stack)
        if len(found) > number and found[number].status == status:
            return found[number]
        await asyncio.sleep(0.01)
    raise TimeoutError(f"bill {number} did not become {status}")


def bills(stack: Stack) -> list[StoredBill]:
    with stack.database.read() as session:
        return list(bills_of_contract(session, ACCOUNT, CONTRACT))


def schedule(stack: Stack) -> Schedule:
    with stack.database.read() as session:
        found = contract(session, ACCOUNT, CONTRACT)
    assert found is not None
    return found.schedule


async def events(client: Client) -> Counter[str]:
    """By kind, over all runs of the contract."""
    identity = workflow_id(ACCOUNT, CONTRACT)
    run_id: str | None = (await client.get_workflow_handle(identity).describe()).run_id
    counted: Counter[str] = Counter()
    while run_id:
        history = await client.get_workflow_handle(identity, run_id=run_id).fetch_history()
        kinds = [event.event_type for event in history.events if event.event_type not in TEST_CLOCK_EVENTS]
        counted.update(EventType.Name(kind).removeprefix("EVENT_TYPE_").lower() for kind in kinds)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return counted


def show(counted: Counter[str], requests: dict[str, int], seconds: float) -> None:
    table = Table("", "total", "per cycle", title=f"{CYCLES} paid monthly cycles")
    for name, count in counted.most_common():
        table.add_row(name, str(count), f"{count / CYCLES:.2f}")
    table.add_section()
    table.add_row("history events", str(counted.total()), f"[bold]{counted.total() / CYCLES:.2f}[/bold]")
    for name, count in requests.items():
        table.add_row(name, str(count), f"[bold]{count / CYCLES:.2f}[/bold]")
    table.add_row("seconds", f"{seconds:.1f}", f"{seconds / CYCLES:.2f}")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
