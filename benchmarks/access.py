"""How fast `GET /v1/contracts/{id}/access` answers, one web process. `python -m benchmarks.access`

First as many requests a second as it takes, so many at once, by a client that does little else than send and read. Then
a constant number a second on a fixed schedule, each timed from the moment at which it was to be sent.
"""

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.load import AT_ONCE, bench, names, options, percentile, seconds_ahead

RATE_GOAL = 500
ANSWER_GOAL_MS = 20.0


class Line:
    """One connection that is kept; HTTP/1.1 by hand, so that the client costs less than the server."""

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


async def main(given: argparse.Namespace) -> None:
    async with bench(given.store) as running:
        ids = names("a", given.contracts)
        await running.sell(ids, seconds_ahead(12 * 3600))
        await running.until_made(len(ids), 0, "a")
        await running.until_quiet()
        addresses = running.stack.addresses
        host, port = addresses.web.removeprefix("http://").split(":")
        lines = [Line(host, int(port), addresses.api_key) for _ in range(AT_ONCE)]
        for line in lines:
            await line.open()
        paths = [f"/v1/contracts/{contract_id}/access" for contract_id in ids]
        await most(lines, paths, 2.0)
        rate = await most(lines, paths, given.seconds)
        taken = await constant(lines, paths, given)
        for line in lines:
            line.close()
    show(rate, taken, given)


async def most(lines: Sequence[Line], paths: Sequence[str], seconds: float) -> float:
    """Answers per second."""
    turn = itertools.cycle(paths)
    count = 0
    deadline = time.monotonic() + seconds

    async def ask(line: Line) -> None:
        nonlocal count
        while time.monotonic() < deadline:
            assert b'"access":"on"' in await line.get(next(turn))
            count += 1

    await asyncio.gather(*(ask(line) for line in lines))
    return count / seconds


async def constant(lines: Sequence[Line], paths: Sequence[str], given: argparse.Namespace) -> list[float]:
    """Milliseconds of each answer."""
    free: asyncio.Queue[Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    taken: list[float] = []

    async def ask_at(moment: float, path: str) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        line = await free.get()
        await line.get(path)
        free.put_nowait(line)
        taken.append((time.monotonic() - moment) * 1000)

    began = time.monotonic() + 0.5
    count = int(given.seconds * given.rate)
    await asyncio.gather(*(ask_at(began + number / given.rate, paths[number % len(paths)]) for number in range(count)))
    return taken


def show(rate: float, taken: list[float], given: argparse.Namespace) -> None:
    table = Table("", "measured", "goal", title=f"GET …/access, {given.contracts} contracts, store on {given.store}")
    table.add_row(f"a second, {AT_ONCE} at once", f"{rate:.0f}", f"≥ {RATE_GOAL}")
    table.add_row(f"p50 at {given.rate} a second", f"{percentile(taken, 0.5):.1f} ms", "")
    table.add_row(f"p99 at {given.rate} a second", f"{percentile(taken, 0.99):.1f} ms", f"≤ {ANSWER_GOAL_MS:.0f} ms")
    Console().print(table)


if __name__ == "__main__":
    parser = options(__doc__, 200)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    asyncio.run(main(parser.parse_args()))
