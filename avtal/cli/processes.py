"""The parts of the system, each alone: worker, web, sandbox, migrate. Each imports only what it runs."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from avtal.cli.failure import fail
from avtal.cli.settings import settings
from avtal.config import WEB_PARTS, cipher_of


def worker() -> None:
    """The Temporal worker."""
    _need_secret_key()
    from temporalio.service import RPCError  # noqa: PLC0415 - commands over HTTP have no use for it

    from worker import main  # noqa: PLC0415 - the web has no use for it

    try:
        main()
    except (RuntimeError, RPCError) as error:
        fail(f"the worker can't run: {error}; `avtal doctor` tells what to mend")


def web(
    only: Annotated[
        str, typer.Option(metavar="PARTS", help="Of api, callbacks, portal, with commas between.")
    ] = ",".join(WEB_PARTS),
) -> None:
    """The web: JSON API, callback receiver, portal. The relay to Temporal runs beside any of them."""
    parts = [part.strip() for part in only.split(",")]
    if not set(parts) <= set(WEB_PARTS):
        raise typer.BadParameter(f"takes {', '.join(WEB_PARTS)}", param_hint="--only")
    _need_secret_key()
    from avtal.web import main  # noqa: PLC0415 - the worker has no use for it

    main(only=parts)


def migrate(
    temporal: Annotated[bool, typer.Option("--temporal", help="Prepare Temporal's namespace, and only that.")] = False,
    retention: Annotated[
        str | None,
        typer.Option(help="With --temporal: how long closed contracts stay in Temporal; 72h for a new namespace."),
    ] = None,
    wait: Annotated[int, typer.Option(min=0, help="With --temporal: seconds to wait until Temporal answers.")] = 0,
) -> None:
    """Bring the store to the newest schema, or Temporal's namespace; run again, it changes nothing."""
    if temporal:
        from avtal.cli.migrate_temporal import prepare  # noqa: PLC0415 - brings Temporal's client along

        prepare(retention, wait)
        return
    if retention is not None or wait:
        raise typer.BadParameter("--retention and --wait belong to --temporal")
    _migrate_store()


def _migrate_store() -> None:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - commands over HTTP have no use for it

    from avtal.store.engine.migrate import SchemaNewer  # noqa: PLC0415 - the same
    from avtal.store.engine.migrate import migrate as bring_up_to_date  # noqa: PLC0415 - the same

    given = settings()
    if given.database_url is None:
        given.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        bring_up_to_date(given.store_url)
    except (SQLAlchemyError, ImportError, SchemaNewer) as error:
        fail(f"the store can't be migrated: {error}")
    typer.echo("the store has the newest schema")


def sandbox(
    port: Annotated[int | None, typer.Option(help="8280 unless given.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="The SQLite file that holds everything.")] = None,
) -> None:
    """The Billogram sandbox alone; never in production."""
    given = settings()
    file = data or given.data_dir / "billogram_sandbox.db"
    file.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--port", str(port or given.sandbox_port), "--data", str(file)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "billogram_sandbox", *arguments])


def _need_secret_key() -> None:
    try:
        cipher_of(settings())
    except ValueError as error:
        fail(str(error))
