"""Runs the embedded stack in the foreground and prints its addresses."""

import asyncio
import logging
import signal
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from avtal.embedded.demo.data_dir import keep_data
from avtal.embedded.ports import PortBusy, Ports, check_free, free_ports
from avtal.embedded.processes import PartFailed
from avtal.embedded.stack import AlreadyRunning, Stack, StoreRefused, running_stack, supervise
from avtal.embedded.where_to_look import EXAMPLES, command_prefix, shortest, where_to_look

FAILURES = (PortBusy, AlreadyRunning, StoreRefused, PartFailed, FileNotFoundError, TimeoutError)
"""Each says what to do."""

console = Console(highlight=False)


def run_in_foreground(data_dir: Path, *, any_ports: bool, headless: bool) -> None:
    """Until Ctrl-C or SIGTERM. Raises FAILURES."""
    ports = free_ports() if any_ports else Ports()
    if not any_ports:
        check_free(ports)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_data(data_dir)
    logging.basicConfig(filename=data_dir / "stack.log", format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_run_until_stopped(data_dir, ports, headless=headless))


async def _run_until_stopped(data_dir: Path, ports: Ports, *, headless: bool) -> None:
    run = asyncio.ensure_future(_run(data_dir, ports, headless=headless))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, run.cancel)
    with suppress(asyncio.CancelledError):
        await run


async def _run(data_dir: Path, ports: Ports, *, headless: bool) -> None:
    try:
        async with running_stack(data_dir, ports, headless=headless) as stack:
            _print_addresses(stack, data_dir)
            try:
                await supervise(stack)
            finally:
                console.print("stopping …")
    except* PartFailed as failed:
        raise failed.exceptions[0] from None


def _print_addresses(stack: Stack, data_dir: Path) -> None:
    avtal = command_prefix(data_dir)
    sale = EXAMPLES / "sale.json"
    first = [f"{avtal} sell -f {shortest(sale)}", f"{avtal} pay c-1001"] if sale.exists() else []
    closing = ["Next:", *(f"  {line}" for line in (*first, f"{avtal} list", f"{avtal} forward 1y"))]
    more = {"Billogram sandbox": stack.addresses.sandbox}
    console.print(
        where_to_look(
            "Avtal is up", stack.addresses, data_dir, more, [*closing, "", "Ctrl-C stops it; all data stays."]
        ),
        soft_wrap=True,
    )
