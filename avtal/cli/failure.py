"""How a command ends that can't do what it was asked: one clear line on stderr, and exit status 1."""

from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    complain(message)
    raise typer.Exit(1)


def complain(message: str) -> None:
    typer.echo(" ".join(message.split()), err=True)
