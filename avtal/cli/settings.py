"""The settings as the commands read them: from the environment, with `--data` laid over it."""

import os
from pathlib import Path

from pydantic import ValidationError

from avtal.cli.failure import fail
from avtal.config import Settings

DATA_DIR = "AVTAL_DATA_DIR"


def settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"AVTAL_{one['loc'][0]}".upper() + f": {one['msg']}" for one in error.errors())
        fail(f"the environment, or .env, can't be used: {wrong}")


def use_data_dir(data: Path | None) -> None:
    """In the environment, so that whatever this process runs or becomes finds it too."""
    if data is not None:
        os.environ[DATA_DIR] = str(data)
