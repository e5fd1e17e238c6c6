"""Measures a big account's contracts, all due within a minute, beside a small account's. `python -m benchmarks.herd`

Lateness is the time from a contract's due instant until its bill is in the store, which is polled four times a second.
The small account's is compared with its own in a minute in which nothing else is due. It has a sandbox of its own, so
only Avtal delays it. With `--outage` the worker is stopped while the contracts fall due, and lateness counts from its
return.
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
from avtal.contracts.start_slots import RENEWALS_PER_SECOND
from avtal.embedded.ports import HOST, any_ports
from avtal.embedded.processes import Part
from avtal.embedded.stack import ACCOUNT
from avtal.store.accounts.accounts import FIRST_CUSTOMER_NO, PlatformCredentials, create_account
from avtal.store.engine.cipher import Cipher
from avtal.store.tables import FactRow, StartSlotRow
from benchmarks.load import Bench, bench, names, options, percentile, resident_bytes, seconds_ahead, until, until_time

GOAL = 3.0
SMALL = "small"
MINUTE_SECONDS = 60
BUCKET_SECONDS = 10
POLL_SECONDS = 0.25
REREAD_ROWS = 1000
"""The newest rows are read again, because on PostgreSQL a lower id may become visible after a higher one."""

Dues = dict[str, float]  # by bill, seconds since 1970


class Lateness:
    """Polls the store for created bills, and the processes for their memory."""

    def __init__(self, running: Bench, dues: Mapping[str, float]) -> None:
        self._running = running
        self._dues = dues
        self._newest = 0
        self.lateness: dict[str, float] = {}
        self.made: Counter[int] = Counter()
        self.memory: Counter[str] = Counter()

    async def until_all(self, limit_seconds: float) -> None:
        started_at = min(self._dues.values())
        while len(self.lateness) < len(self._dues):
            if time.time() > started_at + limit_seconds:
                raise TimeoutError(f"{len(self._dues) - len(self.lateness)} bills were not created")
            seen = await asyncio.to_thread(self._poll)
            now = time.time()
            for bill in seen & self._dues.keys() - self.lateness.keys():
                self.lateness[bill] = now - self._dues[bill]
                self.made[int(now - started_at) // BUCKET_SECONDS] += 1
            for name, part in self._running.stack.parts.items():
                self.memory[name] = max(self.memory[name], resident_bytes(part.pid))
            await asyncio.sleep(POLL_SECONDS)

    def of(self, ids: Sequence[str]) -> list[float]:
        return [self.lateness[bill_id(contract_id, 1, 0)] for contract_id in ids]

    def _poll(self) -> set[str]:
        with self._running.database.read() as session:
            rows = session.execute(
                sa.select(FactRow.id, FactRow.bill_id)
                .where(FactRow.id > self._newest - REREAD_ROWS, FactRow.type == FactType.CREATED)
                .order_by(FactRow.id)
            ).all()
        self._newest = rows[-1].id if rows else self._newest
        return {row.bill_id for row in rows}


async def main(arguments: argparse.Namespace) -> None:
    if arguments.cached:
        os.environ["AVTAL_WORKER_CONTRACTS_CACHED_MAX"] = str(arguments.cached)
    os.environ["AVTAL_RENEWALS_PER_SECOND"] = str(arguments.renewals_per_second)
    alone, beside, big = (
        names("alone", arguments.small),
        names("beside", arguments.small),
        names("big", arguments.contracts),
    )
    async with bench(arguments.store) as running, small_account(running):
        alone_watch = await minute(running, {SMALL: alone}, seconds_ahead(20), outage=arguments.outage)
        delete_start_slots(running)
        due = seconds_ahead(30 + arguments.contracts / arguments.first_bills)
        beside_watch = await minute(running, {SMALL: beside, ACCOUNT: big}, due, outage=arguments.outage)
    show(
        {"small, alone": alone_watch.of(alone), "small, beside": beside_watch.of(beside), "big": beside_watch.of(big)},
        beside_watch,
        arguments,
    )


async def minute(running: Bench, accounts: Mapping[str, Sequence[str]], due: datetime, *, outage: bool) -> Lateness:
    """Sells contracts that renew in the minute that starts at `due`, and measures their renewals."""
    started_at = time.time()
    dues: Dues = {}
    for account, ids in accounts.items():
        dues |= await sell_over_a_minute(running, account, ids, due)
    for ids in accounts.values():
        await running.until_made(len(ids), 0, ids[0].rpartition("-")[0])
    Console().print(
        f"{len(dues)} first bills: {len(dues) / (time.time() - started_at):.1f} a second, the sale included"
    )
    if time.time() > due.timestamp():
        raise TimeoutError("the renewals fell due before the first bills were created; give a lower --first-bills")
    await running.until_idle()
    await until_time(due - timedelta(seconds=1))
    if outage:
        dues = dict.fromkeys(dues, await stop_worker_until(running, due + timedelta(seconds=MINUTE_SECONDS)))
    watch = Lateness(running, dues)
    await watch.until_all(60 + len(dues) / 5)
    await running.until_idle()
    return watch


def delete_start_slots(running: Bench) -> None:
    """So that the next renewals do not queue behind those before."""
    with running.database.write() as session:
        session.execute(sa.delete(StartSlotRow))


async def stop_worker_until(running: Bench, until: datetime) -> float:
    """Returns when it was started again, in seconds since 1970."""
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
    """Another account, with a sandbox of its own."""
    stack = running.stack
    port, secrets = any_ports().sandbox, stack.secrets
    command = [sys.executable, "-P", "-m", "billogram_sandbox", "--port", str(port)]
    credentials = {"BILLOGRAM_SANDBOX_USER": secrets.billogram_user, "BILLOGRAM_SANDBOX_KEY": secrets.billogram_key}
    log = stack.data_dir / "logs" / "small.log"
    sandbox = Part("small", [*command, "--data", str(stack.data_dir / "small.db")], log, credentials)
    url = f"http://{HOST}:{port}"
    platform = PlatformCredentials(
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
            callback_settings = {"callback_url": callback_url, "sign_key": secrets.callback_key}
            await until(lambda: is_configured(http, callback_settings))
        yield
    finally:
        await sandbox.stop()


async def is_configured(http: httpx.AsyncClient, callback_settings: dict[str, str]) -> bool:
    try:
        return (await http.put("/sandbox/account", json=callback_settings)).is_success
    except httpx.TransportError:
        return False


def show(lateness: Mapping[str, Sequence[float]], watch: Lateness, arguments: argparse.Namespace) -> None:
    title = f"{arguments.contracts} contracts due within a minute beside {arguments.small}, store on {arguments.store}"
    table = Table("lateness", "p50", "p99", "max", title=title)
    figures = {name: [percentile(of, 0.5), percentile(of, 0.99), max(of)] for name, of in lateness.items()}
    for name, values in figures.items():
        table.add_row(name, *(f"{value:.1f} s" for value in values))
    ratios = [b / a for a, b in zip(figures["small, alone"], figures["small, beside"], strict=True)]
    table.add_row(f"small, beside / alone (goal {GOAL:.0f})", *(f"[bold]{ratio:.1f}[/bold]" for ratio in ratios))
    Console().print(table)
    rates = Table("seconds from the first due", "bills per second", title="rate over time")
    for bucket in range(max(watch.made) + 1):
        rate = watch.made[bucket] / BUCKET_SECONDS
        rates.add_row(f"{bucket * BUCKET_SECONDS}", f"{rate:5.1f} {'█' * round(rate / 2)}")
    Console().print(rates)
    Console().print(
        "memory, maximum: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in watch.memory.items())
    )


if __name__ == "__main__":
    parser = options(__doc__, 10_000)
    parser.add_argument("--small", type=int, default=50, help="contracts of the small account")
    parser.add_argument("--first-bills", type=int, default=10, help="expected first bills per second")
    rate = "renewals that start per second and account"
    parser.add_argument("--renewals-per-second", type=float, default=RENEWALS_PER_SECOND, help=rate)
    parser.add_argument("--outage", action="store_true", help="stop the worker while the contracts fall due")
    parser.add_argument("--cached", type=int, help="contracts that the worker caches")
    asyncio.run(main(parser.parse_args()))
