"""Prints to the terminal: rich tables for people, JSON for programs, and one line on stderr for a failure."""

import json
import os
import sys
from typing import NoReturn

import typer
from rich.console import Console, RenderableType
from rich.text import Text

WIDTH_IN_PIPES = 160
GOOD, WAITING, BAD, MUTED = "green", "yellow", "red", "dim"


def fail(message: str) -> NoReturn:
    """Ends the command with status 1."""
    complain(message)
    raise typer.Exit(1)


def complain(message: str) -> None:
    typer.echo(" ".join(message.split()), err=True)


def show(*renderables: RenderableType) -> None:
    """A pipe is wide enough that no id is broken."""
    is_pipe = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    Console(highlight=False, width=WIDTH_IN_PIPES if is_pipe else None).print(*renderables)


def show_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def plain(value: object, style: str = "") -> Text:
    """Foreign text: markup and control characters have no effect."""
    text = "–" if value is None else str(value)
    return Text("".join(character if character.isprintable() else " " for character in text), style)
