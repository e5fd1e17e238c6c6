"""How many invoices a second the sandbox makes and sends, one process. `python -m benchmarks.sandbox`

Over HTTP, so many connections that are kept, in the words that Avtal uses: first with callbacks off, then with two for
each invoice, to a receiver that does nothing. Besides the rate it shows the CPU time of the sandbox's process alone,
which other work on the machine changes little.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

RATE_GOAL = 200
CALLBACKS_EACH = 2
USER, KEY = "bench", "key"
TICKS = os.sysconf("SC_CLK_TCK")
ITEM = {"title": "Global Medium", "description": "2026-11-21 – 2026-12-20", "count": 1, "price": 316, "vat": 25}
ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Measured(NamedTuple):
    seconds: float
    cpu_seconds: float
    made: int

    @property
    def rate(self) -> float:
        return self.made / self.seconds

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / self.made


class Line:
    """One connection that is kept; HTTP/1.1 by hand, so that the client costs less than the server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._auth = b64encode(f"{USER}:{KEY}".encode()).decode()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, verb: str, path: str, body: object = None) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{verb} {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Basic {self._auth}\r\n"
        self._writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        got = await self._reader.readexactly(length)
        assert answer.startswith(b"HTTP/1.1 200"), got
        return got

    def close(self) -> None:
        self._writer.close()


class Receiver(asyncio.Protocol):
    """Takes whole requests as they come, and says yes to each."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._got = b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        while b"\r\n\r\n" in self._got:
            head, rest = self._got.split(b"\r\n\r\n", 1)
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(rest) < length:
                return
            self._got = rest[length:]
            Receiver.count += 1
            self._transport.write(ACCEPTED)


class Bench:
    def __init__(self, process: Process, lines: list[Line]) -> None:
        self._process, self._lines = process, lines
        self._next = 0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def prepare(self) -> None:
        customer = {"customer_no": 1, "name": "Anna Lundberg", "contact": {"email": "anna@example.com"}}
        await self._lines[0].ask("POST", "/api/v2/customer", customer)

    async def tell(self, url: str) -> None:
        await self._lines[0].ask("PUT", "/sandbox/account", {"callback_url": url, "sign_key": "s3cret"})

    async def make(self, count: int, callbacks_each: int) -> Measured:
        """Until all are made, and everybody was told."""
        last, told = self._next + count, Receiver.count + count * callbacks_each
        began, cpu = time.monotonic(), self.cpu_seconds()
        await asyncio.gather(*(self._work(line, last) for line in self._lines))
        while Receiver.count < told:  # noqa: ASYNC110 - the receiver only counts
            await asyncio.sleep(0.01)
        return Measured(time.monotonic() - began, self.cpu_seconds() - cpu, count)

    async def _work(self, line: Line, last: int) -> None:
        while self._next < last:
            self._next += 1
            await line.ask("POST", "/api/v2/billogram", order(self._next))


def order(number: int) -> dict[str, object]:
    return {
        "customer": {"customer_no": 1},
        "items": [ITEM],
        "currency": "SEK",
        "invoice_date": "2026-11-21",
        "due_days": 3000,
        "creditor_unique_value": f"c-{number}:0:r0",
        "callbacks": {"custom": f"c-{number}:0:r0"},
        "on_success": {"command": "send", "method": "Email"},
    }


@asynccontextmanager
async def bench(connections: int) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        options = ("--port", "0", "--data", f"{folder}/sandbox.db", "--user", USER, "--key", KEY)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "billogram_sandbox", *options, stdout=PIPE)
        assert process.stdout
        port = int((await process.stdout.readline()).decode().rsplit(":", 1)[1])
        lines = [Line(port) for _ in range(connections)]
        try:
            for line in lines:
                await line.open()
            yield Bench(process, lines)
        finally:
            for line in lines:
                line.close()
            process.terminate()
            await process.communicate()


async def main(given: argparse.Namespace) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    async with server, bench(given.connections) as running:
        await running.prepare()
        await running.make(given.invoices // 10, 0)
        silent = await running.make(given.invoices, 0)
        await running.tell(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks")
        await running.make(given.invoices // 10, CALLBACKS_EACH)
        telling = await running.make(given.invoices, CALLBACKS_EACH)
    show(silent, telling, given)


def show(silent: Measured, telling: Measured, given: argparse.Namespace) -> None:
    title = f"Create and send, {given.invoices} invoices, {given.connections} connections"
    table = Table("", "a second", "goal", "CPU of the sandbox, each", title=title)
    table.add_row("callbacks off", f"{silent.rate:.0f}", f"≥ {RATE_GOAL}", f"{silent.cpu_ms:.2f} ms")
    table.add_row("with two callbacks", f"{telling.rate:.0f}", "", f"{telling.cpu_ms:.2f} ms")
    table.add_row("so one callback", "", "", f"{(telling.cpu_ms - silent.cpu_ms) / CALLBACKS_EACH:.2f} ms")
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=1000, help="how many a round; 1000 unless given")
    parser.add_argument("--connections", type=int, default=16)
    asyncio.run(main(parser.parse_args()))
