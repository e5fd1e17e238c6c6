"""Measures `GET /v1/contracts/{id}/access` on one web process. `python -m benchmarks.access`

First as many requests a second as the process takes, then a constant rate on a fixed schedule, where each request is
timed from the moment at which it should have been sent.
"""

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.load import CONCURRENCY_MAX, bench, names, options, percentile, seconds_ahead

RATE_GOAL = 500
LATENCY_GOAL_MS = 20.0


class Connection:
    """A persistent connection. Speaks HTTP/1.1 by hand, because a client library would cost more than the server."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._host, self._port, self._key = host, port, key

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    async def get(self, path: str) -> bytes:
        self._writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {self._key}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


async def main(arguments: argparse.Namespace) -> None:
    async with bench(arguments.store) as running:
        ids = names("a", arguments.contracts)
        await running.sell(ids, seconds_ahead(12 * 3600))
        await running.until_made(len(ids), 0, "a")
        await running.until_idle()
        addresses = running.stack.addresses
        host, port = addresses.web.removeprefix("http://").split(":")
        connections = [Connection(host, int(port), addresses.api_key) for _ in range(CONCURRENCY_MAX)]
        for connection in connections:
            await connection.open()
        paths = [f"/v1/contracts/{contract_id}/access" for contract_id in ids]
        await max_rate(connections, paths, 2.0)
        rate = await max_rate(connections, paths, arguments.seconds)
        latencies_ms = await at_constant_rate(connections, paths, arguments)
        for connection in connections:
            connection.close()
    show(rate, latencies_ms, arguments)


async def max_rate(connections: Sequence[Connection], paths: Sequence[str], seconds: float) -> float:
    """Responses per second."""
    next_paths = itertools.cycle(paths)
    count = 0
    deadline = time.monotonic() + seconds

    async def send_requests(connection: Connection) -> None:
        nonlocal count
        while time.monotonic() < deadline:
            assert b'"access":"on"' in await connection.get(next(next_paths))
            count += 1

    await asyncio.gather(*(send_requests(connection) for connection in connections))
    return count / seconds


async def at_constant_rate(
    connections: Sequence[Connection], paths: Sequence[str], arguments: argparse.Namespace
) -> list[float]:
    """The latency of each response."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    latencies_ms: list[float] = []

    async def send_at(moment: float, path: str) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        connection = await free.get()
        await connection.get(path)
        free.put_nowait(connection)
        latencies_ms.append((time.monotonic() - moment) * 1000)

    started_at = time.monotonic() + 0.5
    count = int(arguments.seconds * arguments.rate)
    await asyncio.gather(
        *(send_at(started_at + number / arguments.rate, paths[number % len(paths)]) for number in range(count))
    )
    return latencies_ms


def show(rate: float, latencies_ms: list[float], arguments: argparse.Namespace) -> None:
    table = Table(
        "", "measured", "goal", title=f"GET …/access, {arguments.contracts} contracts, store on {arguments.store}"
    )
    table.add_row(f"per second, {CONCURRENCY_MAX} in parallel", f"{rate:.0f}", f"≥ {RATE_GOAL}")
    table.add_row(f"p50 at {arguments.rate} per second", f"{percentile(latencies_ms, 0.5):.1f} ms", "")
    table.add_row(
        f"p99 at {arguments.rate} per second", f"{percentile(latencies_ms, 0.99):.1f} ms", f"≤ {LATENCY_GOAL_MS:.0f} ms"
    )
    Console().print(table)


if __name__ == "__main__":
    parser = options(__doc__, 200)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    asyncio.run(main(parser.parse_args()))
