"""`avtal migrate --temporal`: the namespace is there, and knows our search attributes."""

import asyncio
import re
import time
from datetime import timedelta

import typer

from avtal.cli.failure import fail
from avtal.temporal_admin.connection import connect
from avtal.temporal_admin.namespace import NamespaceError, TemporalUnreachable, prepare_namespace

SPAN = re.compile(r"(\d{1,5})([hd])")
RETENTION_MIN = timedelta(hours=24)
LOOK_SECONDS = 1.0


def prepare(retention: str | None, wait_seconds: int) -> None:
    span = None if retention is None else _span(retention)
    try:
        done, namespace = asyncio.run(_prepare(span, wait_seconds))
    except (NamespaceError, RuntimeError, ValueError) as error:
        fail(str(error))
    for line in done or [f"the namespace {namespace} has all that contracts need"]:
        typer.echo(line)


async def _prepare(retention: timedelta | None, wait_seconds: int) -> tuple[list[str], str]:
    client = await connect(lazy=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return await prepare_namespace(client, retention), client.namespace
        except TemporalUnreachable:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(LOOK_SECONDS)


def _span(text: str) -> timedelta:
    match = SPAN.fullmatch(text)
    if match is None:
        raise typer.BadParameter("takes hours or days, like 72h or 30d", param_hint="--retention")
    span = timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))
    if span < RETENTION_MIN:
        raise typer.BadParameter("takes a day at least", param_hint="--retention")
    return span
