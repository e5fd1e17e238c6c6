"""Reads the settings of a command from the environment and from `--data`."""

import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from avtal.cli.terminal import fail
from avtal.config import Settings

DATA_DIR = "AVTAL_DATA_DIR"


def settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"AVTAL_{one['loc'][0]}".upper() + f": {one['msg']}" for one in error.errors())
        fail(f"invalid settings in the environment or .env: {wrong}")


def _use_data_dir(data: Path | None) -> Path | None:
    """Sets the environment variable, which the processes that this command starts read too."""
    if data is not None:
        os.environ[DATA_DIR] = str(data)
    return data


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        callback=_use_data_dir,
        help="The embedded stack's data directory; .avtal unless given.",
        show_default=False,
    ),
]
"""An option before and after every command's name. The callback has done the work: no command reads it."""
