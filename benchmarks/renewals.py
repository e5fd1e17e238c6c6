"""Measures renewals per second against a bare loop. `python -m benchmarks.renewals [--store postgresql]`

Contracts that are due at the same instant wake by their own timers in real time. The bare loop, described in
`benchmarks.bare`, uses the same sandbox and the same Temporal server in the same run, with one worker process, and
writes to no store. All kinds are prepared first and then have their bursts one after the other; each round another
kind goes first.

A renewal is done when its contract sleeps again and the callbacks about its invoice are processed; those of the loops
are found to be foreign. The histories also show when the last activity completed and when the last contract slept. At
its last response the bare loop still has much work left, ours little: see docs/performance.md.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType

from avtal.embedded.dev_server import NAMESPACE
from avtal.embedded.processes import Part
from avtal.embedded.stack import ACCOUNT
from avtal.store.accounts.accounts import FIRST_CUSTOMER_NO
from benchmarks.bare import TASK_QUEUE, BareBill, BareWorkflow
from benchmarks.load import Bench, bench, in_parallel, names, options, seconds_ahead, until, until_time
from workflows.messages import workflow_id

GOAL = 0.8
NO_LIMIT = "1000000"
"""Renewals per second of an account: all start immediately."""
PREPARED_PER_SECOND = 15
DONE_PER_SECOND = 20
"""Both lower than on any usable machine."""
EVENTS_ASLEEP = 5
CALLBACKS_PER_BILL = 2
"""That the invoice was created, and that it was sent."""


class Burst(NamedTuple):
    """Bills per second until then, and each part's processor seconds until all are done."""

    done: float
    responded: float
    asleep: float
    work: Counter[str]


class Round(NamedTuple):
    first_bills: float
    bursts: dict[str, Burst]


KINDS = OURS, BARE, WITH_DUTIES = "ours", "bare loop", "with duties"
UNTIL: dict[str, Callable[[Burst], float]] = {
    "all are done": lambda burst: burst.done,
    "the last activity is completed": lambda burst: burst.responded,
    "the last contract sleeps": lambda burst: burst.asleep,
}


async def main(arguments: argparse.Namespace) -> None:
    os.environ["AVTAL_RENEWALS_PER_SECOND"] = NO_LIMIT
    async with bench(arguments.store) as running, bare_worker(running) as worker:
        rounds = [await one_round(running, worker, number, arguments.contracts) for number in range(arguments.rounds)]
    show(rounds, arguments)


async def one_round(running: Bench, worker: Part, number: int, count: int) -> Round:
    kinds = deque(KINDS)
    kinds.rotate(-number)
    first = seconds_ahead(5 + 3 * count / PREPARED_PER_SECOND)
    due = {kind: first + timedelta(seconds=turn * (count // DONE_PER_SECOND + 5)) for turn, kind in enumerate(kinds)}
    started_at = time.time()
    contracts = names(f"r{number}", count)
    await running.sell(contracts, due[OURS])
    first_bills = count / (await running.until_made(count, 0, f"r{number}") - started_at)
    workflows = {
        OURS: [workflow_id(ACCOUNT, each) for each in contracts],
        BARE: await start_loops(running, names(f"bare-{number}", count), due[BARE], has_duties=False),
        WITH_DUTIES: await start_loops(running, names(f"duties-{number}", count), due[WITH_DUTIES], has_duties=True),
    }
    await running.until_idle()
    bursts = {kind: await burst(running, worker, due[kind], count) for kind in kinds}
    bursts = {kind: await with_history_rates(running, workflows[kind], due[kind], bursts[kind]) for kind in kinds}
    return Round(first_bills, bursts)


async def burst(running: Bench, worker: Part, due: datetime, count: int) -> Burst:
    """Measured until all are done; the histories give the rest."""
    if time.time() > due.timestamp():
        raise TimeoutError("the burst was due before its preparation was finished; this machine is too slow")
    await until_time(due)
    before, callbacks = running.processor_seconds(worker), running.callbacks() + CALLBACKS_PER_BILL * count

    async def is_done() -> bool:
        return await asyncio.to_thread(lambda: running.callbacks() >= callbacks and running.is_idle())

    done = await until(is_done)
    await running.until_idle()
    worker.require_running()
    return Burst(count / (done - due.timestamp()), 0.0, 0.0, running.processor_seconds(worker) - before)


async def with_history_rates(running: Bench, workflows: Sequence[str], due: datetime, measured: Burst) -> Burst:
    responded, asleep = zip(*await in_parallel(last_completions(running, each) for each in workflows), strict=True)
    to_responses, to_sleep = (len(workflows) / (max(each) - due.timestamp()) for each in (responded, asleep))
    last = min(measured.done, to_sleep)  # the last contract may sleep after the last callback
    return measured._replace(done=last, responded=to_responses, asleep=to_sleep)


async def last_completions(running: Bench, workflow: str) -> tuple[float, float]:
    """When its last activity and its last workflow task completed."""
    history = await running.stack.client.get_workflow_handle(workflow).fetch_history()
    moment = {event.event_type: event.event_time.ToNanoseconds() / 1e9 for event in history.events}
    return (
        moment[EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED],
        moment[EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED],
    )


async def start_loops(running: Bench, keys: Sequence[str], due: datetime, *, has_duties: bool) -> Sequence[str]:
    """Starts the loops, waits until they sleep, and returns their ids."""
    bills = [
        BareBill(key=key, has_duties=has_duties, customer_no=FIRST_CUSTOMER_NO + each, due=due)
        for each, key in enumerate(keys)
    ]
    start = running.stack.client.start_workflow
    await in_parallel(start(BareWorkflow.run, each, id=each.key, task_queue=TASK_QUEUE) for each in bills)
    await in_parallel(until_asleep(running, key) for key in keys)
    return keys


async def until_asleep(running: Bench, key: str) -> None:
    handle = running.stack.client.get_workflow_handle(key)

    async def is_asleep() -> bool:
        return (await handle.describe()).history_length >= EVENTS_ASLEEP

    await until(is_asleep)


@asynccontextmanager
async def bare_worker(running: Bench) -> AsyncIterator[Part]:
    addresses = running.stack.addresses
    environment = {
        "TEMPORAL_ADDRESS": addresses.temporal,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "BARE_PLATFORM": f"{addresses.sandbox}/api/v2/billogram",
        "BARE_USER": addresses.billogram_user,
        "BARE_KEY": addresses.billogram_key,
    }
    command = [sys.executable, "-P", "-m", "benchmarks.bare"]
    worker = Part("bare", command, running.stack.data_dir / "logs" / "bare.log", environment)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def show(rounds: list[Round], arguments: argparse.Namespace) -> None:
    title = (
        f"{arguments.rounds} rounds of {arguments.contracts} contracts due at one instant, store on {arguments.store}"
    )
    table = Table("bills per second", "median", "least", "most", title=title)
    add(table, "first bills, from the sale", [each.first_bills for each in rounds])
    for until_when, rate in UNTIL.items():
        rates = {kind: [rate(each.bursts[kind]) for each in rounds] for kind in KINDS}
        table.add_section()
        for kind, values in rates.items():
            add(table, f"until {until_when}: {kind}", values)
        for kind in (OURS, WITH_DUTIES):
            goal = f" (goal {GOAL})" if (kind, until_when) == (OURS, "all are done") else ""
            ratios = [one / bare for one, bare in zip(rates[kind], rates[BARE], strict=True)]
            add(table, f"{kind} / bare loop{goal}", ratios)
    Console().print(table)
    Console().print(work_table(rounds, arguments.contracts))


def add(table: Table, name: str, values: list[float]) -> None:
    median, least, most = (f"{of(values):.2f}" for of in (statistics.median, min, max))
    table.add_row(name, f"[bold]{median}[/bold]", least, most)


def work_table(rounds: list[Round], bills: int) -> Table:
    """Medians, because the machine's speed varies."""
    table = Table("processor time per bill, ms", *KINDS)
    works = {kind: [each.bursts[kind].work for each in rounds] for kind in KINDS}
    for part in sorted({part for of_kind in works.values() for work in of_kind for part in work}):
        medians = (statistics.median(work[part] for work in of_kind) for of_kind in works.values())
        table.add_row(part, *(f"{seconds * 1000 / bills:.1f}" for seconds in medians))
    totals = (statistics.median(work.total() for work in of_kind) for of_kind in works.values())
    table.add_row("all", *(f"[bold]{seconds * 1000 / bills:.1f}[/bold]" for seconds in totals))
    return table


if __name__ == "__main__":
    parser = options(__doc__, 240)
    parser.add_argument("--rounds", type=int, default=6)
    asyncio.run(main(parser.parse_args()))
