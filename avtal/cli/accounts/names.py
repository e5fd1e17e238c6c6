"""What the account commands share: an account's name, and what they say of it."""

import re
from typing import Annotated, NoReturn

import typer

from avtal.cli.failure import fail

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter("takes 1 to 64 of A-Z a-z 0-9 . _ -")
    return name


AccountName = Annotated[str, typer.Argument(metavar="NAME", callback=_name, help="The account's name.")]


def print_once(**secrets: str) -> None:
    for name, secret in secrets.items():
        typer.echo(f"{name}: {secret}")
    typer.echo("Shown this once; keep it safe.", err=True)


def unknown_account(name: str) -> NoReturn:
    fail(f"there is no account {name}; make it with `avtal account create {name}`")
