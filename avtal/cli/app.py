"""All commands of `avtal`. A command that needs Temporal or the database is imported when it is called."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from avtal.cli import processes
from avtal.cli.api import bills, contracts, sell
from avtal.cli.settings import DataDir


def _stack() -> typer.Typer:
    from avtal.cli.stack import commands  # noqa: PLC0415 - imports Temporal's client and the database

    return commands.app


def _account() -> typer.Typer:
    from avtal.cli.accounts import commands  # noqa: PLC0415 - imports the database

    group = typer.Typer()
    group.add_typer(commands.app, name="account")
    return group


def _reconcile() -> typer.Typer:
    from avtal.cli import reconcile  # noqa: PLC0415 - imports the database and Billogram's client

    return reconcile.app


def _migrate() -> typer.Typer:
    from avtal.cli import migrate  # noqa: PLC0415 - imports the database and Temporal's client

    return migrate.app


def _doctor() -> typer.Typer:
    from avtal.cli.doctor import command  # noqa: PLC0415 - imports everything that it checks

    return command.app


class LazyCommand(NamedTuple):
    load: Callable[[], typer.Typer]
    help: str


LAZY_COMMANDS = {
    "account": LazyCommand(_account, "Accounts, in the store: create, set, show, new-key, operator."),
    "doctor": LazyCommand(_doctor, "Check an installation and say what to do."),
    "up": LazyCommand(_stack, "Run the embedded stack until Ctrl-C."),
    "pay": LazyCommand(_stack, "Pay a contract's oldest open bill, on the embedded stack."),
    "forward": LazyCommand(_stack, "Move the embedded stack's clock forward."),
    "now": LazyCommand(_stack, "The embedded stack's time."),
    "migrate": LazyCommand(_migrate, "Bring the store, or Temporal's namespace, up to date."),
    "reconcile": LazyCommand(_reconcile, "Compare the bills with Billogram and record what callbacks missed."),
}


class LazyGroup(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: typer's private types
        if args and args[0] in LAZY_COMMANDS:
            self.commands.update(typer.main.get_group(LAZY_COMMANDS[args[0]].load()).commands)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="avtal", cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def start(_data: DataDir = None) -> None:
    """Subscription contracts, paid by invoice."""


app.command("sell")(sell.sell)
app.command("show")(contracts.show_contract)
app.command("list")(contracts.list_contracts)
app.command("why")(contracts.why)
app.command("cancel")(contracts.cancel)
app.command("revoke")(contracts.revoke)
app.command("bills")(bills.list_bills)
app.command("retry")(bills.retry)
app.command("waive")(bills.waive)
app.command("worker")(processes.worker)
app.command("web")(processes.web)
app.command("sandbox")(processes.sandbox)
for name, lazy in LAZY_COMMANDS.items():
    app.command(name, help=lazy.help)(lambda: None)  # listed by --help; `resolve_command` replaces it


def main() -> None:
    try:
        app()
    except SystemExit as end:
        if "temporalio" in sys.modules:
            _exit_without_finalization(end.code)
        raise


def _exit_without_finalization(code: str | int | None) -> None:
    """The threads of Temporal's client can abort it: with temporalio 1.35, 3 of 40 runs of `avtal migrate --temporal`
    without a server ended with SIGABRT."""
    if isinstance(code, str):
        typer.echo(code, err=True)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
