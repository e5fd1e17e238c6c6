"""Measures the first byte of the recipient's invoice page in a sandbox. `python -m benchmarks.invoice_page`

Each invoice has a history: sent, opened, partly paid, a message and its reply. One request at a time, then several in
parallel; over sockets, because a client library would cost more than the server.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from avtal.embedded.ports import any_ports
from benchmarks.load import percentile

GOAL_MS = 50.0
USER, KEY = "1234-benchmrk", "0" * 32
ITEMS = [
    {"title": "Dagens Blad", "description": "Helår", "count": 1, "price": "2641.51", "vat": 6},
    {"title": "Korsordsbok", "count": 2, "price": "119.20", "vat": 25},
]
PageRequest = tuple[str, str]
"""The path, and the ETag of the cached page or an empty string."""


async def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with _sandbox(Path(folder) / "sandbox.db") as base, httpx.AsyncClient(base_url=base) as http:
            urls = [await _invoice(http, number) for number in range(arguments.invoices)]
            first = await _first_byte_times(base, [(url, "") for url in urls], 1)
            tags = [(await http.get(url)).headers["etag"] for url in urls]
            await http.get(f"{urls[0]}/invoice.pdf")  # the first PDF loads the library
            rows = {
                "first view, which sends a callback": first,
                "page": await _first_byte_times(base, [(url, "") for url in urls] * arguments.rounds, 1),
                "page, not modified (304)": await _first_byte_times(
                    base, [*zip(urls, tags, strict=True)] * arguments.rounds, 1
                ),
                f"page, {arguments.concurrency} in parallel": await _first_byte_times(
                    base, [(url, "") for url in urls] * arguments.rounds, arguments.concurrency
                ),
                "no such invoice (404)": await _first_byte_times(
                    base, [(f"{url}x", "") for url in urls] * arguments.rounds, 1
                ),
                "PDF": await _first_byte_times(base, [(f"{url}/invoice.pdf", "") for url in urls], 1),
            }
    _show(rows)


@asynccontextmanager
async def _sandbox(data: Path) -> AsyncIterator[str]:
    port = any_ports().sandbox
    arguments = ("--port", str(port), "--data", str(data), "--user", USER, "--key", KEY)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "billogram_sandbox", *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    try:
        await _until_started(base)
        yield base
    finally:
        process.terminate()
        await process.wait()


async def _until_started(base: str) -> None:
    async with httpx.AsyncClient(base_url=base) as http, asyncio.timeout(20):
        while True:
            try:
                await http.get("/sandbox/clock")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


async def _invoice(http: httpx.AsyncClient, number: int) -> str:
    """Creates an invoice and returns the path of its page."""
    auth = (USER, KEY)
    customer = {"customer_no": number + 1, "name": "Lisa Provperson", "contact": {"email": "lisa@example.com"}}
    (await http.post("/api/v2/customer", json=customer, auth=auth)).raise_for_status()
    body = {
        "customer": {"customer_no": number + 1},
        "items": ITEMS,
        "on_success": {"command": "send", "method": "Email"},
    }
    made = (await http.post("/api/v2/billogram", json=body, auth=auth)).raise_for_status().json()["data"]
    path = f"/api/v2/billogram/{made['id']}/command"
    (await http.post(f"{path}/payment", json={"amount": 100}, auth=auth)).raise_for_status()
    await http.post(f"{made['url']}/message", data={"message": "Kan jag betala resten senare?"})
    (await http.post(f"{path}/message", json={"message": "Ja, det går bra."}, auth=auth)).raise_for_status()
    return str(httpx.URL(made["url"]).path)


async def _first_byte_times(base: str, requests: Sequence[PageRequest], concurrency: int) -> list[float]:
    """In milliseconds."""
    waiting, times = list(reversed(requests)), list[float]()

    async def client() -> None:
        while waiting:
            times.append(await _first_byte(base, *waiting.pop()))

    await asyncio.gather(*(client() for _ in range(concurrency)))
    return times


async def _first_byte(base: str, path: str, tag: str) -> float:
    """On a connection of its own, like a browser that opens one page."""
    url = httpx.URL(base)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    headers = f"Host: {url.host}\r\nAccept-Language: sv\r\nConnection: close\r\n"
    headers += f"If-None-Match: {tag}\r\n" if tag else ""
    started_at = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
    await reader.readexactly(1)
    seconds = time.perf_counter() - started_at
    await reader.read()
    writer.close()
    return seconds * 1000


def _show(rows: Mapping[str, Sequence[float]]) -> None:
    table = Table("first byte of", "requests", "p50 ms", "p99 ms", "worst ms", f"within {GOAL_MS:.0f} ms")
    for name, each in rows.items():
        within = sum(one <= GOAL_MS for one in each) / len(each)
        figures = (percentile(each, 0.5), percentile(each, 0.99), max(each))
        table.add_row(name, str(len(each)), *(f"{figure:.1f}" for figure in figures), f"{within:.1%}")
    Console(width=110).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.invoice_page", description=__doc__)
    parser.add_argument("--invoices", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(_options()))
