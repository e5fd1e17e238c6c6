"""Runs the embedded stack in the foreground, and says where to look."""

import asyncio
import logging
import signal
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from avtal.embedded.addresses import Addresses
from avtal.embedded.ports import PortBusy, Ports, check_free, free_ports
from avtal.embedded.processes import PartFailed
from avtal.embedded.stack import AlreadyRunning, attend, running_stack

console = Console(highlight=False)

CANNOT_RUN = (PortBusy, AlreadyRunning, PartFailed, FileNotFoundError, TimeoutError)
"""What may be in the way; each says what to do."""


def bring_up(data_dir: Path, *, any_ports: bool, headless: bool) -> None:
    """Runs the stack until Ctrl-C or SIGTERM. Raises PortBusy, AlreadyRunning, PartFailed."""
    ports = free_ports() if any_ports else Ports()
    if not any_ports:
        check_free(ports)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    logging.basicConfig(filename=data_dir / "stack.log", format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_serve(data_dir, ports, headless=headless))


async def _serve(data_dir: Path, ports: Ports, *, headless: bool) -> None:
    serving = asyncio.ensure_future(_run(data_dir, ports, headless=headless))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


async def _run(data_dir: Path, ports: Ports, *, headless: bool) -> None:
    try:
        async with running_stack(data_dir, ports, headless=headless) as stack:
            console.print(where_to_look(data_dir, stack.addresses))
            try:
                await attend(stack)
            finally:
                console.print("stopping …")
    except* PartFailed as failed:
        raise failed.exceptions[0] from None


def where_to_look(data_dir: Path, addresses: Addresses) -> Panel:
    rows = {
        "Portal": f"{addresses.web}/portal/",
        "  user, password": f"{addresses.operator_user}, {addresses.operator_password}",
        "API": f"{addresses.web}/docs",
        "API key": addresses.api_key,
        "Temporal UI": addresses.temporal_ui or "off (--headless)",
        "Billogram sandbox": addresses.sandbox,
        "Data and logs": str(data_dir),
    }
    lines = [f"[bold]{name:<18}[/bold]{value}" for name, value in rows.items()]
    lines += [
        "",
        "Next: avtal sell -f examples/sale.json · avtal list · avtal forward 1y",
        "Ctrl-C stops it; nothing is lost.",
    ]
    return Panel("\n".join(lines), title="Avtal is up", border_style="green", expand=False)
