"""The command `avtal`."""

import atexit
import os
import sys
from typing import NoReturn

from avtal.cli.app import app


def main() -> None:
    try:
        app()
    except SystemExit as end:
        if "temporalio" in sys.modules:
            _leave(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise


def _leave(status: int) -> NoReturn:
    """The threads of Temporal's client may abort Python's own way out, long after all is done: status 134, not 0."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
