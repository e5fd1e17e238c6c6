"""Measures how many invoices per second the sandbox creates and sends. `python -m benchmarks.sandbox`

Over persistent connections, with the requests that Avtal sends: first without callbacks, then with two for each invoice
to a receiver that does nothing. Shows also the CPU time of the sandbox's process, which other work hardly changes.
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


class Connection:
    """A persistent connection. Speaks HTTP/1.1 by hand, because a client library would cost more than the server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._auth = b64encode(f"{USER}:{KEY}".encode()).decode()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def request(self, verb: str, path: str, body: object = None) -> bytes:
        sent = b"" if body is None else json.dumps(body).encode()
        request = f"{verb} {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Basic {self._auth}\r\n"
        self._writer.write(f"{request}Content-Length: {len(sent)}\r\n\r\n".encode() + sent)
        response = await self._reader.readuntil(b"\r\n\r\n")
        length = int(response.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        assert response.startswith(b"HTTP/1.1 200"), content
        return content

    def close(self) -> None:
        self._writer.close()


class Receiver(asyncio.Protocol):
    """Accepts every request."""

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
    def __init__(self, process: Process, connections: list[Connection]) -> None:
        self._process, self._connections = process, connections
        self._next = 0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def prepare(self) -> None:
        customer = {"customer_no": 1, "name": "Anna Lundberg", "contact": {"email": "anna@example.com"}}
        await self._connections[0].request("POST", "/api/v2/customer", customer)

    async def enable_callbacks(self, url: str) -> None:
        await self._connections[0].request("PUT", "/sandbox/account", {"callback_url": url, "sign_key": "s3cret"})

    async def make(self, count: int, callbacks_each: int) -> Measured:
        """Measures until all invoices are created and all callbacks received."""
        last, callbacks = self._next + count, Receiver.count + count * callbacks_each
        started_at, cpu = time.monotonic(), self.cpu_seconds()
        await asyncio.gather(*(self._work(connection, last) for connection in self._connections))
        while Receiver.count < callbacks:  # noqa: ASYNC110 - the receiver only counts
            await asyncio.sleep(0.01)
        return Measured(time.monotonic() - started_at, self.cpu_seconds() - cpu, count)

    async def _work(self, connection: Connection, last: int) -> None:
        while self._next < last:
            self._next += 1
            await connection.request("POST", "/api/v2/billogram", invoice_body(self._next))


def invoice_body(number: int) -> dict[str, object]:
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
async def bench(connections_count: int) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        options = ("--port", "0", "--data", f"{folder}/sandbox.db", "--user", USER, "--key", KEY)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "billogram_sandbox", *options, stdout=PIPE
        )
        assert process.stdout
        port = int((await process.stdout.readline()).decode().rsplit(":", 1)[1])
        connections = [Connection(port) for _ in range(connections_count)]
        try:
            for connection in connections:
                await connection.open()
            yield Bench(process, connections)
        finally:
            for connection in connections:
                connection.close()
            process.terminate()
            await process.communicate()


async def main(arguments: argparse.Namespace) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    async with server, bench(arguments.connections) as running:
        await running.prepare()
        await running.make(arguments.invoices // 10, 0)
        without_callbacks = await running.make(arguments.invoices, 0)
        await running.enable_callbacks(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks")
        await running.make(arguments.invoices // 10, CALLBACKS_EACH)
        with_callbacks = await running.make(arguments.invoices, CALLBACKS_EACH)
    show(without_callbacks, with_callbacks, arguments)


def show(without_callbacks: Measured, with_callbacks: Measured, arguments: argparse.Namespace) -> None:
    title = f"Create and send, {arguments.invoices} invoices, {arguments.connections} connections"
    table = Table("", "per second", "goal", "CPU of the sandbox, each", title=title)
    table.add_row(
        "callbacks off", f"{without_callbacks.rate:.0f}", f"≥ {RATE_GOAL}", f"{without_callbacks.cpu_ms:.2f} ms"
    )
    table.add_row("with two callbacks", f"{with_callbacks.rate:.0f}", "", f"{with_callbacks.cpu_ms:.2f} ms")
    table.add_row(
        "one callback", "", "", f"{(with_callbacks.cpu_ms - without_callbacks.cpu_ms) / CALLBACKS_EACH:.2f} ms"
    )
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=1000, help="invoices per round; default 1000")
    parser.add_argument("--connections", type=int, default=16)
    asyncio.run(main(parser.parse_args()))
