"""The embedded stack's own commands: up, forward, now."""

import asyncio
import json
import logging
import signal
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.panel import Panel

from cli.failing import fail
from cli.settings import settings
from embedded.addresses import Addresses
from embedded.forward import ForwardFailed, forward, stack_clock
from embedded.ports import PortBusy, Ports, check_free, free_ports
from embedded.processes import PartFailed
from embedded.stack import AlreadyRunning, attend, running_stack
from embedded.timespan import ZONE, later, start_of

commands = typer.Typer()
console = Console(highlight=False)


def bring_up(data_dir: Path, *, any_ports: bool, headless: bool) -> None:
    """Runs the stack until Ctrl-C or SIGTERM. Raises PortBusy, AlreadyRunning, PartFailed."""
    ports = free_ports() if any_ports else Ports()
    if not any_ports:
        check_free(ports)
    data_dir.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=data_dir / "stack.log", format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_serve(data_dir, ports, headless=headless))


def move_clock(data_dir: Path, duration: str | None, day: str | None) -> datetime:
    """Raises ForwardFailed, ValueError."""
    clock = stack_clock(data_dir)
    target = start_of(day) if day is not None else later(clock.now(), duration or "")
    with console.status("forward") as status:
        return forward(data_dir, clock, target, lambda now: status.update(f"it is {local(now)}"))


def local(now: datetime) -> str:
    return f"{now.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S} in Stockholm"


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


@commands.command()
def up(
    ports: Annotated[str, typer.Option(help="'default', or 'auto' for free ones")] = "default",
    headless: Annotated[bool, typer.Option("--headless", help="Without Temporal's UI.")] = False,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    if ports not in ("default", "auto"):
        raise typer.BadParameter("takes 'default' or 'auto'", param_hint="--ports")
    try:
        bring_up(settings().data_dir, any_ports=ports == "auto", headless=headless)
    except (PortBusy, AlreadyRunning, PartFailed, FileNotFoundError, TimeoutError) as error:
        fail(str(error))


@commands.command("forward")
def forward_command(
    duration: Annotated[str | None, typer.Argument(help="12h, 30d, 6w, 2y")] = None,
    to: Annotated[str | None, typer.Option(help="Into that civil day, like 2027-03-31.")] = None,
) -> None:
    """Move the embedded stack's clock on; everything moves together."""
    if (duration is None) == (to is None):
        raise typer.BadParameter("give either a duration or --to DATE")
    try:
        console.print(f"it is {local(move_clock(settings().data_dir, duration, to))}")
    except (ForwardFailed, ValueError) as error:
        fail(str(error))


@commands.command()
def now(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The embedded stack's time."""
    try:
        instant = stack_clock(settings().data_dir).now()
    except ForwardFailed as error:
        fail(str(error))
    typer.echo(json.dumps({"now": f"{instant:%Y-%m-%dT%H:%M:%SZ}"}) if as_json else local(instant))
