"""Renewals per second, ours against a bare loop. `python -m benchmarks.renewals [--store postgresql]`

Contracts that are due at the same instant wake by their own timers in real time. The bare loop is a workflow with one
timer and one activity that makes the same POST to the same sandbox, on the same Temporal server, with one worker
process, in the same run; it writes no store. The loop with duties does what each renewal of ours must besides, at the
least that it costs, and nothing of what a contract is (`benchmarks.bare`).
Measured is from the instant until the last activity has done its work: ours has stored the bill that was made, the
loops' have read the platform's answer. Then until the last contract sleeps again or has ended, and until the last
callback is dealt with too, which for the loops' bills means that it is found to be no bill of ours.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.bare import TASK_QUEUE, BareBill, BareWorkflow
from benchmarks.load import Bench, at_once, bench, names, options, seconds_ahead, until, until_time
from embedded.processes import Part
from embedded.stack import ACCOUNT
from embedded.temporal import NAMESPACE
from store.accounts import FIRST_CUSTOMER_NO
from workflows.messages import workflow_id

GOAL = 0.8
NO_TURNS = "1000000"
"""Renewals a second of an account: all begin at once."""
MADE_READY_A_SECOND = 5
"""Slower than any machine that is of use: all must sleep before they are due."""
EVENTS_ASLEEP = 5
CALLBACKS_A_BILL = 2
"""It was created, and it was sent."""


MEASURED = {
    "the last answer": "to_answers",
    "the last contract sleeps": "to_sleep",
    "the last callback": "to_rest",
}


class Burst(NamedTuple):
    """Rates in bills a second, work in seconds of processor time of each part until all was quiet."""

    to_answers: float
    to_sleep: float
    to_rest: float
    work: Counter[str]


class Round(NamedTuple):
    first_bills: float
    ours: Burst
    bare: Burst
    with_duties: Burst


async def main(given: argparse.Namespace) -> None:
    os.environ["AVTAL_RENEWALS_PER_SECOND"] = NO_TURNS
    async with bench(given.store) as running:
        rounds = [await one_round(running, number, given.contracts) for number in range(given.rounds)]
    show(rounds, given)


async def one_round(running: Bench, number: int, count: int) -> Round:
    prefix = f"r{number}"
    due = seconds_ahead(5 + count / MADE_READY_A_SECOND)
    began = time.time()
    await running.sell(names(prefix, count), due)
    first_bills = count / (await running.until_made(count, 0, prefix) - began)
    if time.time() > due.timestamp():
        raise TimeoutError("the first bills took so long that the next were due; this machine is too slow")
    await running.until_quiet()
    await until_time(due)
    asleep = f"AvtalNextRenewal > '{(due + timedelta(hours=1)).isoformat()}'"
    query = f"WorkflowId STARTS_WITH '{workflow_id(ACCOUNT, prefix)}-' AND {asleep}"
    ours = await burst(running, due, count, lambda: running.until_made(count, 1, prefix), query)
    bare = await bare_burst(running, f"bare-{number}", count)
    with_duties = await bare_burst(running, f"duties-{number}", count, has_duties=True)
    return Round(first_bills, ours, bare, with_duties)


async def burst(
    running: Bench, due: datetime, count: int, until_answers: Callable[[], Awaitable[float]], asleep: str, *more: Part
) -> Burst:
    """It begins now. `asleep` is how Temporal lists the contracts that have done their work."""
    before, callbacks = running.worked(*more), running.callbacks() + CALLBACKS_A_BILL * count

    async def all_asleep() -> bool:
        return (await running.stack.client.count_workflows(asleep)).count >= count

    async def all_told() -> bool:
        return await asyncio.to_thread(lambda: running.callbacks() >= callbacks and running.is_quiet())

    answers, sleep, rest = [
        count / (end - due.timestamp())
        for end in (await until_answers(), await until(all_asleep), await until(all_told))
    ]
    await running.until_quiet()
    return Burst(answers, sleep, rest, running.worked(*more) - before)


async def bare_burst(running: Bench, prefix: str, count: int, *, has_duties: bool = False) -> Burst:
    """Our worker is idle."""
    worker = bare_worker(running)
    await worker.start()
    due = seconds_ahead(5 + count / MADE_READY_A_SECOND)
    bills = [
        BareBill(
            key=f"{prefix}-{each}",
            has_duties=has_duties,
            customer_no=FIRST_CUSTOMER_NO + each,
            due=due,
            day=due.date().isoformat(),
        )
        for each in range(count)
    ]
    start = running.stack.client.start_workflow
    await at_once(start(BareWorkflow.run, each, id=f"bare:{each.key}", task_queue=TASK_QUEUE) for each in bills)
    await at_once(until_asleep(running, each) for each in bills)
    if time.time() > due.timestamp():
        raise TimeoutError("the bare loop's contracts were due before they slept; this machine is too slow")
    await until_time(due)
    done = answers_file(running)
    answered_before = done.stat().st_size if done.exists() else 0

    async def all_answered() -> bool:
        return done.exists() and done.stat().st_size - answered_before >= count

    ended = f"WorkflowId STARTS_WITH 'bare:{prefix}-' AND ExecutionStatus = 'Completed'"
    measured = await burst(running, due, count, lambda: until(all_answered), ended, worker)
    worker.check_running()
    await worker.stop()
    return measured


def answers_file(running: Bench) -> Path:
    """One byte for each answer that the bare loop has read."""
    return running.stack.data_dir / "bare-answers"


async def until_asleep(running: Bench, bill: BareBill) -> None:
    handle = running.stack.client.get_workflow_handle(f"bare:{bill.key}")

    async def is_asleep() -> bool:
        return (await handle.describe()).history_length >= EVENTS_ASLEEP

    await until(is_asleep)


def bare_worker(running: Bench) -> Part:
    addresses = running.stack.addresses
    environment = {
        "TEMPORAL_ADDRESS": addresses.temporal,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "BARE_PLATFORM": f"{addresses.sandbox}/api/v2/billogram",
        "BARE_USER": addresses.billogram_user,
        "BARE_KEY": addresses.billogram_key,
        "BARE_ANSWERS": str(answers_file(running)),
    }
    command = [sys.executable, "-m", "benchmarks.bare"]
    return Part("bare", command, running.stack.data_dir / "logs" / "bare.log", environment)


def show(rounds: list[Round], given: argparse.Namespace) -> None:
    title = f"{given.contracts} contracts due at one instant, account {ACCOUNT}, store on {given.store}"
    table = Table("bills per second", *(f"round {number + 1}" for number in range(len(rounds))), "median", title=title)
    add(table, "from the sale on, first bills", [each.first_bills for each in rounds])
    bursts = {
        "ours": [each.ours for each in rounds],
        "bare loop": [each.bare for each in rounds],
        "with duties": [each.with_duties for each in rounds],
    }
    for until_when, rate in MEASURED.items():
        table.add_section()
        rates = {name: [getattr(each, rate) for each in of] for name, of in bursts.items()}
        for name, values in rates.items():
            add(table, f"until {until_when}: {name}", values)
        for name in ("ours", "with duties"):
            goal = f" (goal {GOAL})" if (name, rate) == ("ours", "to_answers") else ""
            ratios = [one / bare for one, bare in zip(rates[name], rates["bare loop"], strict=True)]
            add(table, f"{name} / bare loop{goal}", ratios)
    Console().print(table)
    works = {name: sum((each.work for each in of), Counter[str]()) for name, of in bursts.items()}
    Console().print(work_table(works, given.contracts * len(rounds)))


def add(table: Table, name: str, values: list[float]) -> None:
    table.add_row(name, *(f"{value:.2f}" for value in values), f"[bold]{statistics.median(values):.2f}[/bold]")


def work_table(works: Mapping[str, Counter[str]], bills: int) -> Table:
    table = Table("processor time per bill, ms", *works)
    for part in sorted(sum(works.values(), Counter[str]())):
        table.add_row(part, *(f"{work[part] * 1000 / bills:.1f}" for work in works.values()))
    table.add_row("all", *(f"[bold]{work.total() * 1000 / bills:.1f}[/bold]" for work in works.values()))
    return table


if __name__ == "__main__":
    parser = options(__doc__, 400)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(main(parser.parse_args()))
