"""`avtal migrate`: the store's schema, or with `--temporal` the namespace and its search attributes."""

import asyncio
import re
import time
from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from avtal.cli.settings import DataDir, settings
from avtal.cli.terminal import fail
from avtal.store.engine.migrate import SchemaRefused
from avtal.store.engine.migrate import migrate as migrate_schema
from avtal.temporal_admin.connection import connect
from avtal.temporal_admin.namespace import NamespaceError, TemporalUnreachable, prepare_namespace

SPAN = re.compile(r"(\d{1,5})([hd])")
RETENTION_MIN = timedelta(hours=24)
POLL_SECONDS = 1.0

app = typer.Typer()


@app.command()
def migrate(
    temporal: Annotated[bool, typer.Option("--temporal", help="Only prepare Temporal's namespace.")] = False,
    retention: Annotated[
        str | None,
        typer.Option(help="With --temporal: retention of closed contracts in Temporal; 72h for a new namespace."),
    ] = None,
    wait: Annotated[int, typer.Option(min=0, help="With --temporal: seconds to wait for Temporal.")] = 0,
    _data: DataDir = None,
) -> None:
    """Bring the store, or Temporal's namespace, up to date. A repeat changes nothing."""
    if not temporal and (retention is not None or wait):
        raise typer.BadParameter("--retention and --wait belong to --temporal")
    if temporal:
        _prepare_temporal(None if retention is None else _span(retention), wait)
    else:
        _migrate_store()


def _migrate_store() -> None:
    given = settings()
    if given.database_url is None:
        given.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        migrate_schema(given.store_url)
    except (SQLAlchemyError, ImportError, SchemaRefused) as error:
        fail(f"the store can't be migrated: {error}")
    typer.echo("the store has the newest schema")


def _prepare_temporal(retention: timedelta | None, wait_seconds: int) -> None:
    try:
        changes, namespace = asyncio.run(_prepare_namespace(retention, wait_seconds))
    except (NamespaceError, RuntimeError, ValueError) as error:
        fail(str(error))
    for line in changes or [f"the namespace {namespace} has all that contracts need"]:
        typer.echo(line)


async def _prepare_namespace(retention: timedelta | None, wait_seconds: int) -> tuple[list[str], str]:
    client = await connect(lazy=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return await prepare_namespace(client, retention), client.namespace
        except TemporalUnreachable:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)


def _span(text: str) -> timedelta:
    match = SPAN.fullmatch(text)
    if match is None:
        raise typer.BadParameter("takes hours or days, like 72h or 30d", param_hint="--retention")
    span = timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))
    if span < RETENTION_MIN:
        raise typer.BadParameter("takes at least a day", param_hint="--retention")
    return span
