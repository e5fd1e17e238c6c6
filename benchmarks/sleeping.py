"""Measures a sleeping contract: the worker's memory, bytes in store and Temporal. `python -m benchmarks.sleeping`

All contracts have their first bill, sent, with its callbacks applied, and wait for the next. A warm-up with other
contracts comes first, so that the worker's code, threads, and buffers are not counted.
"""

import argparse
import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from avtal.store.tables import Table as StoreTable
from benchmarks.load import Bench, bench, names, options, resident_bytes, seconds_ahead

MEMORY_GOAL = 100_000
WARM_UP = 300

Value = TypeVar("Value")


class Sizes(NamedTuple, Generic[Value]):
    worker: Value
    web: Value
    temporal: Value
    store: Value
    temporal_file: Value


async def main(arguments: argparse.Namespace) -> None:
    # Every contract stays in the worker's cache.
    os.environ["AVTAL_WORKER_CONTRACTS_CACHED_MAX"] = str(arguments.contracts + WARM_UP + 100)
    async with bench(arguments.store) as running:
        await asleep(running, "warm", WARM_UP)
        before = await asyncio.to_thread(sizes, running)
        await asleep(running, "sleeping", arguments.contracts)
        after = await asyncio.to_thread(sizes, running)
    show(before, after, arguments)


async def asleep(running: Bench, prefix: str, count: int) -> None:
    await running.sell(names(prefix, count), seconds_ahead(12 * 3600))
    await running.until_made(count, 0, prefix)
    await running.until_idle()


def sizes(running: Bench) -> Sizes[int]:
    parts = running.stack.parts
    return Sizes(
        worker=resident_bytes(parts["worker"].pid),
        web=resident_bytes(parts["web"].pid),
        temporal=resident_bytes(parts["temporal"].pid),
        store=store_bytes(running),
        temporal_file=file_bytes(running.stack.data_dir / "temporal.db"),
    )


def store_bytes(running: Bench) -> int:
    if running.kind == "sqlite":
        return file_bytes(running.stack.data_dir / "avtal.db")
    sizes = [sa.func.pg_total_relation_size(table.name) for table in StoreTable.metadata.sorted_tables]
    with running.database.read() as session:
        return sum(session.execute(sa.select(*sizes)).one())


def file_bytes(file: Path) -> int:
    """The bytes of the pages in use, including those in the write-ahead log."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        total, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((total - free) * size)


def show(before: Sizes[int], after: Sizes[int], arguments: argparse.Namespace) -> None:
    title = f"{arguments.contracts} sleeping contracts, store on {arguments.store}"
    table = Table("", "before", "after", "per contract", title=title)
    labels = Sizes(
        worker=f"worker's memory (goal {MEMORY_GOAL // 1000} kB)",
        web="web's memory",
        temporal="Temporal's memory",
        store="store",
        temporal_file="Temporal's file",
    )
    for label, was, now in zip(labels, before, after, strict=True):
        each = (now - was) / arguments.contracts / 1000
        table.add_row(label, f"{was / 1e6:.1f} MB", f"{now / 1e6:.1f} MB", f"[bold]{each:.1f} kB[/bold]")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main(options(__doc__, 2000).parse_args()))
