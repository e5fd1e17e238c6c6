"""All commands of `avtal`, written out. What needs Temporal or the database is imported only when it is asked for."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from avtal.cli import bills, contracts
from avtal.cli import processes as parts
from avtal.cli import sell as selling
from avtal.cli.settings import use_data_dir


def _stack() -> typer.Typer:
    from avtal.cli.stack import commands as stack  # noqa: PLC0415 - brings Temporal's client and the database along

    return stack.commands


def _account() -> typer.Typer:
    from avtal.cli.accounts import commands as account  # noqa: PLC0415 - brings the database along

    commands = typer.Typer()
    commands.add_typer(account.app, name="account")
    return commands


def _reconciling() -> typer.Typer:
    from avtal.cli import reconcile as reconciling  # noqa: PLC0415 - brings the database and the platform's client along

    return reconciling.commands


def _doctor() -> typer.Typer:
    from avtal.cli.doctor import command as doctor  # noqa: PLC0415 - asks everything, and so brings everything along

    return doctor.commands


class Late(NamedTuple):
    made_by: Callable[[], typer.Typer]
    help: str


LATE = {
    "account": Late(_account, "Accounts, on the store itself: create, set, show, new-key, operator."),
    "doctor": Late(_doctor, "Check a whole installation, and say what to do."),
    "up": Late(_stack, "Run everything on this machine until Ctrl-C."),
    "forward": Late(_stack, "Move the embedded stack's clock on; everything moves together."),
    "now": Late(_stack, "The embedded stack's time."),
    "reconcile": Late(_reconciling, "Compare with what Billogram holds, and record what callbacks missed."),
}


class Avtal(TyperGroup):
    """Imports a late command when it is called, and takes --data before and after the command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: typer's private types
        if args and args[0] in LATE:
            self.commands.update(typer.main.get_group(LATE[args[0]].made_by()).commands)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: as above
        return super().parse_args(ctx, data_first(args))


def data_first(args: list[str]) -> list[str]:
    """The arguments with every --data DIR in front; the sandbox has a --data of its own."""
    moved: list[str] = []
    kept: list[str] = []
    rest = iter(args)
    for arg in rest:
        if arg == "--" or (arg == "sandbox" and not kept):
            kept += [arg, *rest]
        elif arg == "--data":
            moved += [arg, *islice(rest, 1)]
        elif arg.startswith("--data="):
            moved.append(arg)
        else:
            kept.append(arg)
    return moved + kept


app = typer.Typer(name="avtal", cls=Avtal, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def start(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The embedded stack's data directory; .avtal unless given.", show_default=False
        ),
    ] = None,
) -> None:
    """Subscription contracts, paid by invoice."""
    use_data_dir(data)


app.command("sell")(selling.sell)
app.command("show")(contracts.show_contract)
app.command("list")(contracts.list_contracts)
app.command("why")(contracts.why)
app.command("cancel")(contracts.cancel)
app.command("revoke")(contracts.revoke)
app.command("bills")(bills.list_bills)
app.command("retry")(bills.retry)
app.command("waive")(bills.waive)
app.command("worker")(parts.worker)
app.command("web")(parts.web)
app.command("sandbox")(parts.sandbox)
app.command("migrate")(parts.migrate)
for name, late in LATE.items():
    app.command(name, help=late.help)(lambda: None)  # listed; the command itself takes its place when it is called
