"""A herd: a big account's contracts, all due within one minute, beside a small account's. `python -m benchmarks.herd`

Lateness is the time from a contract's due instant until its bill is seen in the store, which is looked at four times a
second. The small account's is compared with its own in a minute in which nothing else is due. It has a sandbox of its
own, so that it waits for us alone. With `--outage` the worker is away while the contracts fall due, and lateness is
counted from its return.
"""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from avtal.contracts.bills.bill import FactType, bill_id
from avtal.contracts.policy import Mode, Policy
from avtal.contracts.start_slots import PER_SECOND
from avtal.embedded.ports import HOST, any_ports
from avtal.embedded.processes import Part
from avtal.embedded.stack import ACCOUNT
from avtal.store.accounts.accounts import FIRST_CUSTOMER_NO, PlatformAccess, create_account
from avtal.store.engine.cipher import Cipher
from avtal.store.tables import FactRow, StartSlotRow
from benchmarks.load import Bench, bench, names, options, percentile, resident, seconds_ahead, until, until_time

GOAL = 3.0
SMALL = "small"
MINUTE_SECONDS = 60
BUCKET_SECONDS = 10
LOOK_SECONDS = 0.25
OVERLAP = 1000
"""Of so many facts that were seen last another look is taken: on PostgreSQL a lower id may show up after a higher."""

Dues = dict[str, float]  # by bill, seconds since 1970


class Watch:
    """Sees bills being made, and how much memory it takes."""

    def __init__(self, running: Bench, dues: Mapping[str, float]) -> None:
        self._running = running
        self._dues = dues
        self._newest = 0
        self.lateness: dict[str, float] = {}
        self.made: Counter[int] = Counter()
        self.memory: Counter[str] = Counter()

    async def until_all(self, limit_seconds: float) -> None:
        began = min(self._dues.values())
        while len(self.lateness) < len(self._dues):
            if time.time() > began + limit_seconds:
                raise TimeoutError(f"{len(self._dues) - len(self.lateness)} bills were not made")
            seen = await asyncio.to_thread(self._look)
            now = time.time()
            for bill in seen & self._dues.keys() - self.lateness.keys():
                self.lateness[bill] = now - self._dues[bill]
                self.made[int(now - began) // BUCKET_SECONDS] += 1
            for name, part in self._running.stack.parts.items():
                self.memory[name] = max(self.memory[name], resident(part.pid))
            await asyncio.sleep(LOOK_SECONDS)

    def of(self, ids: Sequence[str]) -> list[float]:
        return [self.lateness[bill_id(contract_id, 1, 0)] for contract_id in ids]

    def _look(self) -> set[str]:
        with self._running.database.read() as session:
            rows = session.execute(
                sa.select(FactRow.id, FactRow.bill_id)
                .where(FactRow.id > self._newest - OVERLAP, FactRow.type == FactType.CREATED)
                .order_by(FactRow.id)
            ).all()
        self._newest = rows[-1].id if rows else self._newest
        return {row.bill_id for row in rows}


async def main(given: argparse.Namespace) -> None:
    if given.cached:
        os.environ["AVTAL_WORKER_CONTRACTS_CACHED_MAX"] = str(given.cached)
    os.environ["AVTAL_RENEWALS_PER_SECOND"] = str(given.renewals_per_second)
    alone, beside, big = names("alone", given.small), names("beside", given.small), names("big", given.contracts)
    async with bench(given.store) as running, small_account(running):
        quiet = await minute(running, {SMALL: alone}, seconds_ahead(20), outage=given.outage)
        forget_turns(running)
        due = seconds_ahead(30 + given.contracts / given.first_bills)
        loud = await minute(running, {SMALL: beside, ACCOUNT: big}, due, outage=given.outage)
    show({"small, alone": quiet.of(alone), "small, beside": loud.of(beside), "big": loud.of(big)}, loud, given)


async def minute(running: Bench, accounts: Mapping[str, Sequence[str]], due: datetime, *, outage: bool) -> Watch:
    """Sells them, waits for their first bills and for the minute that begins at `due`, and watches their renewals."""
    began = time.time()
    dues: Dues = {}
    for account, ids in accounts.items():
        dues |= await sell_over_a_minute(running, account, ids, due)
    for ids in accounts.values():
        await running.until_made(len(ids), 0, ids[0].rpartition("-")[0])
    Console().print(f"{len(dues)} first bills: {len(dues) / (time.time() - began):.1f} a second, the sale included")
    if time.time() > due.timestamp():
        raise TimeoutError("the first bills took so long that the next were due; give a lower --first-bills")
    await running.until_quiet()
    await until_time(due - timedelta(seconds=1))
    if outage:
        dues = dict.fromkeys(dues, await worker_away(running, due + timedelta(seconds=MINUTE_SECONDS)))
    watch = Watch(running, dues)
    await watch.until_all(60 + len(dues) / 5)
    await running.until_quiet()
    return watch


def forget_turns(running: Bench) -> None:
    """As if the next renewals fell due in another hour than those before."""
    with running.database.write() as session:
        session.execute(sa.delete(StartSlotRow))


async def worker_away(running: Bench, until: datetime) -> float:
    """When it was back, in seconds since 1970."""
    worker = running.stack.parts["worker"]
    await worker.stop()
    await until_time(until)
    await worker.start()
    return time.time()


async def sell_over_a_minute(running: Bench, account: str, ids: Sequence[str], due: datetime) -> Dues:
    dues: Dues = {}
    for second in range(MINUTE_SECONDS):
        of_second = ids[second * len(ids) // MINUTE_SECONDS : (second + 1) * len(ids) // MINUTE_SECONDS]
        if of_second:
            instant = due + timedelta(seconds=second)
            await running.sell(of_second, instant, account)
            dues |= {bill_id(contract_id, 1, 0): instant.timestamp() for contract_id in of_second}
    return dues


@asynccontextmanager
async def small_account(running: Bench) -> AsyncIterator[None]:
    """Another publisher, whose Billogram is a sandbox of its own."""
    stack = running.stack
    port, secrets = any_ports().sandbox, stack.secrets
    command = [sys.executable, "-m", "billogram_sandbox", "--port", str(port)]
    credentials = {"BILLOGRAM_SANDBOX_USER": secrets.billogram_user, "BILLOGRAM_SANDBOX_KEY": secrets.billogram_key}
    log = stack.data_dir / "logs" / "small.log"
    sandbox = Part("small", [*command, "--data", str(stack.data_dir / "small.db")], log, credentials)
    url = f"http://{HOST}:{port}"
    platform = PlatformAccess(
        url=f"{url}/api/v2",
        user=secrets.billogram_user,
        key=secrets.billogram_key,
        callback_keys=(secrets.callback_key,),
    )
    policy, now = Policy(mode=Mode.AUTOMATIC), datetime.now(UTC)
    with running.database.write() as session:
        create_account(session, Cipher(secrets.cipher_key), SMALL, platform, policy, now, FIRST_CUSTOMER_NO)
    await sandbox.start()
    try:
        async with httpx.AsyncClient(base_url=url) as http:
            callback_url = f"{stack.addresses.web}/callbacks/billogram/{SMALL}"
            told = {"callback_url": callback_url, "sign_key": secrets.callback_key}
            await until(lambda: answers(http, told))
        yield
    finally:
        await sandbox.stop()


async def answers(http: httpx.AsyncClient, told: dict[str, str]) -> bool:
    try:
        return (await http.put("/sandbox/account", json=told)).is_success
    except httpx.TransportError:
        return False


def show(lateness: Mapping[str, Sequence[float]], watch: Watch, given: argparse.Namespace) -> None:
    title = f"{given.contracts} contracts due within a minute beside {given.small}, store on {given.store}"
    table = Table("lateness", "p50", "p99", "max", title=title)
    figures = {name: [percentile(of, 0.5), percentile(of, 0.99), max(of)] for name, of in lateness.items()}
    for name, values in figures.items():
        table.add_row(name, *(f"{value:.1f} s" for value in values))
    ratios = [b / a for a, b in zip(figures["small, alone"], figures["small, beside"], strict=True)]
    table.add_row(f"small, beside / alone (goal {GOAL:.0f})", *(f"[bold]{ratio:.1f}[/bold]" for ratio in ratios))
    Console().print(table)
    rates = Table("seconds from the first due", "bills a second", title="rate over time")
    for bucket in range(max(watch.made) + 1):
        rate = watch.made[bucket] / BUCKET_SECONDS
        rates.add_row(f"{bucket * BUCKET_SECONDS}", f"{rate:5.1f} {'█' * round(rate / 2)}")
    Console().print(rates)
    Console().print(
        "memory at most: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in watch.memory.items())
    )


if __name__ == "__main__":
    parser = options(__doc__, 10_000)
    parser.add_argument("--small", type=int, default=50, help="how many contracts the small account has")
    parser.add_argument("--first-bills", type=int, default=10, help="how many first bills a second are to be expected")
    start_slots = "how many renewals of an account begin in a second"
    parser.add_argument("--renewals-per-second", type=float, default=PER_SECOND, help=start_slots)
    parser.add_argument("--outage", action="store_true", help="the worker is away meanwhile")
    parser.add_argument("--cached", type=int, help="how many contracts the worker may keep in memory")
    asyncio.run(main(parser.parse_args()))
