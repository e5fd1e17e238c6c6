"""Starts one process of the system: worker, web, or sandbox. Each imports only what it runs."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from avtal.cli.settings import DataDir, settings
from avtal.cli.terminal import fail
from avtal.config import WEB_PARTS, cipher_of


def worker(_data: DataDir = None) -> None:
    """The Temporal worker."""
    _require_secret_key()
    from temporalio.service import RPCError  # noqa: PLC0415 - commands over HTTP do not need it

    from worker import main  # noqa: PLC0415 - the web does not need it

    try:
        main()
    except (RuntimeError, RPCError) as error:
        fail(f"the worker can't run: {error}; run `avtal doctor`")


def web(
    only: Annotated[
        str, typer.Option(metavar="PARTS", help="Some of api, callbacks, portal, separated by commas.")
    ] = ",".join(WEB_PARTS),
    _data: DataDir = None,
) -> None:
    """The web: JSON API, callback receiver, portal. The relay to Temporal runs beside any of them."""
    parts = [part.strip() for part in only.split(",")]
    if not set(parts) <= set(WEB_PARTS):
        raise typer.BadParameter(f"takes {', '.join(WEB_PARTS)}", param_hint="--only")
    _require_secret_key()
    from avtal.web import main  # noqa: PLC0415 - the worker does not need it

    main(parts)


def sandbox(
    port: Annotated[int | None, typer.Option(help="8280 unless given.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="The sandbox's SQLite file.")] = None,
) -> None:
    """The Billogram sandbox alone; never in production."""
    if find_spec("billogram_sandbox") is None:
        fail("the sandbox is not installed: install avtal with its extra, avtal[embedded]")
    given = settings()
    file = data or given.data_dir / "billogram_sandbox.db"
    file.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--port", str(port or given.sandbox_port), "--data", str(file)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "billogram_sandbox", *arguments])


def _require_secret_key() -> None:
    try:
        cipher_of(settings())
    except ValueError as error:
        fail(str(error))
