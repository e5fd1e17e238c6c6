"""Measures callbacks per second against bare signals, and response times. `python -m benchmarks.callbacks`

A burst of signed Payment callbacks, each for a whole bill, goes to the receiver; it is over when every bill is paid and
dropped by its contract. Bare signals go to the same workflows with the same concurrency, until the last are applied.
Then part payments arrive at a constant rate on a fixed schedule, whether or not earlier ones have a response.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from avtal.contracts.bills.bill import BillSnapshot, BillStatus, bill_id
from avtal.embedded.stack import ACCOUNT
from avtal.store.tables import BillRow
from benchmarks.load import CONCURRENCY_MAX, Bench, bench, in_parallel, names, options, percentile, seconds_ahead, until
from benchmarks.payments import Invoice, Payer, invoices
from workflows.contract import ContractWorkflow
from workflows.messages import workflow_id

RATIO_GOAL = 0.4
RESPONSE_GOAL_MS = 50.0
LAST_POLLED = 50
"""So many of the contracts signalled last are queried until they have applied it. All are queried afterwards."""


class ResponseTimes(NamedTuple):
    p50_ms: float
    p99_ms: float
    worst_ms: float


async def main(arguments: argparse.Namespace) -> None:
    async with bench(arguments.store) as running:
        ids = [names(f"r{number}", arguments.contracts) for number in range(arguments.rounds)]
        waiting = names("waiting", arguments.contracts)
        for each in [*ids, waiting]:
            await running.sell(each, seconds_ahead(12 * 3600))
        for each in [*ids, waiting]:
            await running.until_made(len(each), 0, each[0].rpartition("-")[0])
        await running.until_idle()
        async with Payer(running) as payer:
            rounds = [(await burst(running, payer, each), await signals(running, each)) for each in ids]
            response_times = await at_constant_rate(running, payer, waiting, arguments)
    show(rounds, response_times, arguments)


async def burst(running: Bench, payer: Payer, ids: Sequence[str]) -> float:
    """Callbacks per second, from the first request to the last bill dropped."""
    unpaid = invoices(running, ids)
    bodies = [payer.callback(each, each.total_minor) for each in unpaid]
    started_at = time.time()
    await in_parallel(payer.send(body) for body in bodies)
    await until(lambda: asyncio.to_thread(are_paid, running, ids))
    rate = len(ids) / (await until_applied(running, ids, has_open_bills=False) - started_at)
    await running.until_idle()
    return rate


async def signals(running: Bench, ids: Sequence[str]) -> float:
    """Signals per second, of unknown bills, until the contracts have them."""
    client = running.stack.client

    async def send_signal(contract_id: str) -> None:
        bill = BillSnapshot(bill_id=bill_id(contract_id, 1, 0), period=1, revision=0, version=1, status=BillStatus.OPEN)
        handle = client.get_workflow_handle_for(ContractWorkflow.run, workflow_id(ACCOUNT, contract_id))
        await handle.signal(ContractWorkflow.bill_changed, bill)

    started_at = time.time()
    await in_parallel(send_signal(each) for each in ids)
    return len(ids) / (await until_applied(running, ids, has_open_bills=True) - started_at)


async def until_applied(running: Bench, ids: Sequence[str], *, has_open_bills: bool) -> float:
    """The moment at which the last contracts had open bills, or had none any more. Then all must."""

    async def is_applied(contract_id: str) -> bool:
        handle = running.stack.client.get_workflow_handle_for(ContractWorkflow.run, workflow_id(ACCOUNT, contract_id))
        return bool(await handle.query(ContractWorkflow.open_bills)) is has_open_bills

    async def last_have() -> bool:
        return all(await in_parallel(is_applied(each) for each in ids[-LAST_POLLED:]))

    applied_at = await until(last_have)
    assert all(await in_parallel(is_applied(each) for each in ids)), "a contract missed its signal"
    return applied_at


def are_paid(running: Bench, ids: Sequence[str]) -> bool:
    """And the outbox is empty, so Temporal has every signal."""
    conditions = (BillRow.contract_id >= ids[0], BillRow.contract_id <= ids[-1], BillRow.status == BillStatus.PAID)
    with running.database.read() as session:
        paid = session.scalar(sa.select(sa.func.count()).select_from(BillRow).where(*conditions))
    return paid == len(ids) and running.is_idle()


async def at_constant_rate(
    running: Bench, payer: Payer, ids: Sequence[str], arguments: argparse.Namespace
) -> ResponseTimes:
    """Each request is timed from the moment at which it should have been sent."""
    unpaid = invoices(running, ids)
    count = int(arguments.seconds * arguments.rate)
    latencies_ms: list[float] = []

    async def send_at(moment: float, invoice: Invoice) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        await payer.send(payer.callback(invoice, 100))
        latencies_ms.append((time.monotonic() - moment) * 1000)

    started_at = time.monotonic() + 0.5
    each = (send_at(started_at + number / arguments.rate, unpaid[number % len(unpaid)]) for number in range(count))
    await asyncio.gather(*each)
    return ResponseTimes(percentile(latencies_ms, 0.5), percentile(latencies_ms, 0.99), max(latencies_ms))


def show(rounds: list[tuple[float, float]], response_times: ResponseTimes, arguments: argparse.Namespace) -> None:
    title = f"{arguments.contracts} callbacks a round, {CONCURRENCY_MAX} in parallel, store on {arguments.store}"
    table = Table("per second", *(f"round {number + 1}" for number in range(len(rounds))), "median", title=title)
    for name, values, form in (
        ("callbacks, applied", [ours for ours, _ in rounds], "{:.0f}"),
        ("bare signals", [bare for _, bare in rounds], "{:.0f}"),
        (f"ours / bare (goal {RATIO_GOAL})", [ours / bare for ours, bare in rounds], "{:.2f}"),
    ):
        table.add_row(name, *(form.format(each) for each in [*values, statistics.median(values)]))
    Console().print(table)
    title = f"response times at {arguments.rate} callbacks per second, {arguments.seconds} s"
    table = Table("p50", f"p99 (goal {RESPONSE_GOAL_MS:.0f} ms)", "slowest", title=title)
    table.add_row(*(f"{each:.1f} ms" for each in response_times))
    Console().print(table)


if __name__ == "__main__":
    parser = options(__doc__, 500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    asyncio.run(main(parser.parse_args()))
