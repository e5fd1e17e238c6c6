"""The embedded stack's own commands: up, forward, now."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from avtal.cli.failure import fail
from avtal.cli.settings import settings
from avtal.embedded.forward import ForwardFailed, forward, stack_clock
from avtal.embedded.timespan import ZONE, later, start_of

commands = typer.Typer()
console = Console(highlight=False)


def move_clock(data_dir: Path, duration: str | None, day: str | None) -> datetime:
    """Raises ForwardFailed, ValueError."""
    clock = stack_clock(data_dir)
    target = start_of(day) if day is not None else later(clock.now(), duration or "")
    with console.status("forward") as status:
        return forward(data_dir, clock, target, lambda now: status.update(f"it is {local(now)}"))


def local(now: datetime) -> str:
    return f"{now.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S} in Stockholm"


@commands.command()
def up(
    ports: Annotated[str, typer.Option(help="'default', or 'auto' for free ones")] = "default",
    headless: Annotated[bool, typer.Option("--headless", help="Without Temporal's UI.")] = False,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    if ports not in ("default", "auto"):
        raise typer.BadParameter("takes 'default' or 'auto'", param_hint="--ports")
    from avtal.cli.stack.foreground import CANNOT_RUN, bring_up  # noqa: PLC0415 - brings Temporal's client along

    try:
        bring_up(settings().data_dir, any_ports=ports == "auto", headless=headless)
    except CANNOT_RUN as error:
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
