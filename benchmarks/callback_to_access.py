"""Measures the time from a late payment until access is on. `python -m benchmarks.callback_to_access`

Contracts without access after a loss are paid one by one on an idle stack. The time runs from the payment at the
sandbox until the API returns that access is on.
"""

import argparse
import asyncio
import time

import httpx
from rich.console import Console
from rich.table import Table

from avtal.store.queries.bills import bills_of_contract
from benchmarks.load import Bench, bench, names, options, percentile, seconds_ahead, until

GOAL_SECONDS = 1.0


async def main(arguments: argparse.Namespace) -> None:
    async with bench(arguments.store) as running:
        ids = names("late", arguments.contracts)
        await running.sell(ids, seconds_ahead(12 * 3600))
        await running.until_made(len(ids), 0, "late")
        await running.until_idle()
        addresses = running.stack.addresses
        key = {"Authorization": f"Bearer {addresses.api_key}"}
        async with (
            httpx.AsyncClient(base_url=addresses.sandbox) as sandbox,
            httpx.AsyncClient(
                base_url=f"{addresses.sandbox}/api/v2", auth=(addresses.billogram_user, addresses.billogram_key)
            ) as staff,
            httpx.AsyncClient(base_url=f"{addresses.web}/v1", headers=key) as api,
        ):
            invoices = {each: await asyncio.to_thread(invoice_of, running, each) for each in ids}
            for contract_id, invoice in invoices.items():
                await lose(staff, api, contract_id, invoice)
            seconds = [await pay(sandbox, api, contract_id, invoice) for contract_id, invoice in invoices.items()]
    show(seconds, arguments)


def invoice_of(running: Bench, contract_id: str) -> str:
    with running.database.read() as session:
        [bill] = bills_of_contract(session, running.stack.addresses.account, contract_id)
    assert bill.billogram_id is not None
    return bill.billogram_id


async def lose(staff: httpx.AsyncClient, api: httpx.AsyncClient, contract_id: str, invoice: str) -> None:
    (await staff.post(f"/billogram/{invoice}/command/confirmed-loss", json=None)).raise_for_status()
    await until(lambda: has_access_state(api, contract_id, "off"))


async def pay(sandbox: httpx.AsyncClient, api: httpx.AsyncClient, contract_id: str, invoice: str) -> float:
    """Seconds."""
    started_at = time.monotonic()
    (await sandbox.post(f"/sandbox/billograms/{invoice}/pay", json={"amount": "395.00"})).raise_for_status()
    while not await has_access_state(api, contract_id, "on"):  # noqa: ASYNC110 - the API sends no event for it
        await asyncio.sleep(0.005)
    return time.monotonic() - started_at


async def has_access_state(api: httpx.AsyncClient, contract_id: str, access: str) -> bool:
    response = await api.get(f"/contracts/{contract_id}/access")
    assert response.status_code == httpx.codes.OK, response.text
    return bool(response.json()["access"] == access)


def show(seconds: list[float], arguments: argparse.Namespace) -> None:
    table = Table(
        "payments", "p50", "p99", "slowest", "goal, p99", title=f"access on again, store on {arguments.store}"
    )
    figures = (percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds))
    table.add_row(str(len(seconds)), *(f"{each * 1000:.0f} ms" for each in figures), f"≤ {GOAL_SECONDS:.0f} s")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main(options(__doc__, 100).parse_args()))
