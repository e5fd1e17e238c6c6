"""Callbacks per second, ours against bare signals, and how fast they are answered. `python -m benchmarks.callbacks`

A burst of signed Payment callbacks, each for the whole of one bill, goes to the receiver, measured until every bill is
paid and its contract has dropped it. Bare signals go straight to the same workflows, as many at once, until the last
are taken. Then part payments arrive 50 times a second on a fixed schedule, whether or not earlier ones were answered.
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
from benchmarks.load import AT_ONCE, Bench, at_once, bench, names, options, percentile, seconds_ahead, until
from benchmarks.payments import Invoice, Payer, invoices
from workflows.contract import ContractWorkflow
from workflows.messages import workflow_id

RATIO_GOAL = 0.4
ANSWER_GOAL_MS = 50.0
LAST_LOOKED_AT = 50
"""So many of those that were told last are asked whether they have heard; all are asked after the clock stopped."""


class Answers(NamedTuple):
    p50_ms: float
    p99_ms: float
    worst_ms: float


async def main(given: argparse.Namespace) -> None:
    async with bench(given.store) as running:
        ids = [names(f"r{number}", given.contracts) for number in range(given.rounds)]
        waiting = names("waiting", given.contracts)
        for each in [*ids, waiting]:
            await running.sell(each, seconds_ahead(12 * 3600))
        for each in [*ids, waiting]:
            await running.until_made(len(each), 0, each[0].rpartition("-")[0])
        await running.until_quiet()
        async with Payer(running) as payer:
            rounds = [(await burst(running, payer, each), await signals(running, each)) for each in ids]
            answers = await constant(running, payer, waiting, given)
    show(rounds, answers, given)


async def burst(running: Bench, payer: Payer, ids: Sequence[str]) -> float:
    """Callbacks per second, from the first request to the last bill dropped."""
    unpaid = invoices(running, ids)
    ready = [payer.callback(each, each.total_minor) for each in unpaid]
    began = time.time()
    await at_once(payer.send(body) for body in ready)
    await until(lambda: asyncio.to_thread(are_paid, running, ids))
    rate = len(ids) / (await until_heard(running, ids, knows=False) - began)
    await running.until_quiet()
    return rate


async def signals(running: Bench, ids: Sequence[str]) -> float:
    """Signals per second, of bills that nobody knows, until the contracts have them."""
    client = running.stack.client

    async def tell(contract_id: str) -> None:
        bill = BillSnapshot(bill_id=bill_id(contract_id, 1, 0), period=1, revision=0, version=1, status=BillStatus.OPEN)
        handle = client.get_workflow_handle_for(ContractWorkflow.run, workflow_id(ACCOUNT, contract_id))
        await handle.signal(ContractWorkflow.bill_changed, bill)

    began = time.time()
    await at_once(tell(each) for each in ids)
    return len(ids) / (await until_heard(running, ids, knows=True) - began)


async def until_heard(running: Bench, ids: Sequence[str], *, knows: bool) -> float:
    """Until the last contracts know an open bill, or know of none any more; then all of them must."""

    async def has_heard(contract_id: str) -> bool:
        handle = running.stack.client.get_workflow_handle_for(ContractWorkflow.run, workflow_id(ACCOUNT, contract_id))
        return bool(await handle.query(ContractWorkflow.open_bills)) is knows

    async def last_have() -> bool:
        return all(await at_once(has_heard(each) for each in ids[-LAST_LOOKED_AT:]))

    heard = await until(last_have)
    assert all(await at_once(has_heard(each) for each in ids)), "one was left out"
    return heard


def are_paid(running: Bench, ids: Sequence[str]) -> bool:
    """And the outbox is empty: Temporal has every signal."""
    of_these = (BillRow.contract_id >= ids[0], BillRow.contract_id <= ids[-1], BillRow.status == BillStatus.PAID)
    with running.database.read() as session:
        paid = session.scalar(sa.select(sa.func.count()).select_from(BillRow).where(*of_these))
    return paid == len(ids) and running.is_quiet()


async def constant(running: Bench, payer: Payer, ids: Sequence[str], given: argparse.Namespace) -> Answers:
    """Answers at a constant rate; each is timed from the moment at which it was to be sent."""
    unpaid = invoices(running, ids)
    count = int(given.seconds * given.rate)
    taken: list[float] = []

    async def send_at(moment: float, invoice: Invoice) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        await payer.send(payer.callback(invoice, 100))
        taken.append((time.monotonic() - moment) * 1000)

    began = time.monotonic() + 0.5
    each = (send_at(began + number / given.rate, unpaid[number % len(unpaid)]) for number in range(count))
    await asyncio.gather(*each)
    return Answers(percentile(taken, 0.5), percentile(taken, 0.99), max(taken))


def show(rounds: list[tuple[float, float]], answers: Answers, given: argparse.Namespace) -> None:
    title = f"{given.contracts} callbacks a round, {AT_ONCE} at once, store on {given.store}"
    table = Table("per second", *(f"round {number + 1}" for number in range(len(rounds))), "median", title=title)
    for name, values, form in (
        ("callbacks, applied", [ours for ours, _ in rounds], "{:.0f}"),
        ("bare signals", [bare for _, bare in rounds], "{:.0f}"),
        (f"ours / bare (goal {RATIO_GOAL})", [ours / bare for ours, bare in rounds], "{:.2f}"),
    ):
        table.add_row(name, *(form.format(each) for each in [*values, statistics.median(values)]))
    Console().print(table)
    title = f"answers at {given.rate} callbacks a second, {given.seconds} s"
    table = Table("p50", f"p99 (goal {ANSWER_GOAL_MS:.0f} ms)", "slowest", title=title)
    table.add_row(*(f"{each:.1f} ms" for each in answers))
    Console().print(table)


if __name__ == "__main__":
    parser = options(__doc__, 500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    asyncio.run(main(parser.parse_args()))
