"""Commands of the embedded stack: up, pay, forward, now."""

import json
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from avtal.cli.settings import DataDir, settings
from avtal.cli.stack.foreground import FAILURES, run_in_foreground
from avtal.cli.stack.payment import pay
from avtal.cli.terminal import fail
from avtal.embedded.durations import ZONE, add_duration, start_of_day
from avtal.embedded.forward import ForwardFailed, forward, stack_clock

LONGEST_MOVE = timedelta(days=50 * 366)
"""Longer is a slip of the pen: the stack would work through it for hours."""

app = typer.Typer()
app.command("pay")(pay)


@app.command()
def up(
    ports: Annotated[str, typer.Option(help="'default', or 'auto' for free ones.")] = "default",
    headless: Annotated[bool, typer.Option("--headless", help="Without the Temporal UI.")] = False,
    _data: DataDir = None,
) -> None:
    """Run the embedded stack until Ctrl-C."""
    if ports not in ("default", "auto"):
        raise typer.BadParameter("takes 'default' or 'auto'", param_hint="--ports")
    try:
        run_in_foreground(settings().data_dir, any_ports=ports == "auto", headless=headless)
    except FAILURES as error:
        fail(str(error))


@app.command("forward")
def forward_command(
    duration: Annotated[str | None, typer.Argument(help="12h, 30d, 6w, 2y")] = None,
    to: Annotated[str | None, typer.Option(help="The start of a civil date, like 2027-03-31.")] = None,
    _data: DataDir = None,
) -> None:
    """Move the embedded stack's clock forward. Returns when everything due by then is done."""
    if (duration is None) == (to is None):
        raise typer.BadParameter("give either a duration or --to DATE")
    data_dir, console = settings().data_dir, Console(highlight=False)
    try:
        clock = stack_clock(data_dir)
        target = start_of_day(to) if to is not None else add_duration(clock.now(), duration or "")
        if target - clock.now() > LONGEST_MOVE:
            fail("the clock moves forward by at most 50 years at a time")
        with console.status("forward") as status:
            reached = forward(data_dir, clock, target, lambda now: status.update(f"it is {_local(now)}"))
        console.print(f"it is {_local(reached)}")
    except (ForwardFailed, ValueError) as error:
        fail(str(error))


@app.command()
def now(
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False, _data: DataDir = None
) -> None:
    """The embedded stack's time."""
    try:
        instant = stack_clock(settings().data_dir).now()
    except ForwardFailed as error:
        fail(str(error))
    typer.echo(json.dumps({"now": f"{instant:%Y-%m-%dT%H:%M:%SZ}"}) if as_json else _local(instant))


def _local(now: datetime) -> str:
    return f"{now.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S} in Stockholm"
