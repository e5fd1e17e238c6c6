"""How long a late payer waits, from the payment to access that is on. `python -m benchmarks.callback_to_access`

Contracts whose access a loss has turned off are paid, one after the other, on an idle stack. The clock runs from the
moment at which the payment arrives at the sandbox until the API says that access is on.
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


async def main(given: argparse.Namespace) -> None:
    async with bench(given.store) as running:
        ids = names("late", given.contracts)
        await running.sell(ids, seconds_ahead(12 * 3600))
        await running.until_made(len(ids), 0, "late")
        await running.until_quiet()
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
            taken = [await pay(sandbox, api, contract_id, invoice) for contract_id, invoice in invoices.items()]
    show(taken, given)


def invoice_of(running: Bench, contract_id: str) -> str:
    with running.database.read() as session:
        [bill] = bills_of_contract(session, running.stack.addresses.account, contract_id)
    assert bill.billogram_id is not None, "it is made"
    return bill.billogram_id


async def lose(staff: httpx.AsyncClient, api: httpx.AsyncClient, contract_id: str, invoice: str) -> None:
    (await staff.post(f"/billogram/{invoice}/command/confirmed-loss", json=None)).raise_for_status()
    await until(lambda: is_(api, contract_id, "off"))


async def pay(sandbox: httpx.AsyncClient, api: httpx.AsyncClient, contract_id: str, invoice: str) -> float:
    """Seconds."""
    began = time.monotonic()
    (await sandbox.post(f"/sandbox/billograms/{invoice}/pay", json={"amount": "395.00"})).raise_for_status()
    while not await is_(api, contract_id, "on"):  # noqa: ASYNC110 - what is measured is when the API says so
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def is_(api: httpx.AsyncClient, contract_id: str, access: str) -> bool:
    answer = await api.get(f"/contracts/{contract_id}/access")
    assert answer.status_code == httpx.codes.OK, answer.text
    return bool(answer.json()["access"] == access)


def show(taken: list[float], given: argparse.Namespace) -> None:
    table = Table("payments", "p50", "p99", "slowest", "goal, p99", title=f"access on again, store on {given.store}")
    figures = (percentile(taken, 0.5), percentile(taken, 0.99), max(taken))
    table.add_row(str(len(taken)), *(f"{each * 1000:.0f} ms" for each in figures), f"≤ {GOAL_SECONDS:.0f} s")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main(options(__doc__, 100).parse_args()))
