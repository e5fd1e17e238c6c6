"""Empties the demo's data directory. Replaces data that only a demo wrote, and moves other data aside."""

import shutil
from datetime import datetime
from pathlib import Path

from avtal.embedded.stack import AlreadyRunning, lock_data_dir

MARKER = "demo"
"""A file in a directory that a demo created and the next one may replace."""


class DataDirUnavailable(RuntimeError):
    """The directory can't be emptied; the text says what to do."""


def prepare_data_dir(data_dir: Path, now: datetime) -> str:
    """Returns one line on what happened to earlier data. Raises DataDirUnavailable."""
    report = f"fresh data in {data_dir}"
    try:
        if data_dir.exists() and any(data_dir.iterdir()):
            _require_idle(data_dir)
            report = _remove(data_dir) if (data_dir / MARKER).is_file() else _move_aside(data_dir, now)
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data_dir / MARKER).write_text("Created by make demo; the next demo replaces this directory.\n")
    except OSError as error:
        raise DataDirUnavailable(f"can't empty {data_dir} ({error}); set AVTAL_DATA_DIR to another one") from error
    return report


def keep_data(data_dir: Path) -> None:
    """From now on a demo moves this directory aside: others than the demo write to it."""
    (data_dir / MARKER).unlink(missing_ok=True)


def _require_idle(data_dir: Path) -> None:
    try:
        with (data_dir / "lock").open("a") as lock:
            lock_data_dir(lock, data_dir)
    except AlreadyRunning as error:
        raise DataDirUnavailable(
            f"a stack runs on {data_dir}; stop it, or set AVTAL_DATA_DIR to another directory"
        ) from error


def _remove(data_dir: Path) -> str:
    shutil.rmtree(data_dir)
    return f"fresh data in {data_dir}; the data of an earlier demo is replaced"


def _move_aside(data_dir: Path, now: datetime) -> str:
    aside = data_dir.with_name(f"{data_dir.name}-{now:%Y%m%d-%H%M%S}")
    data_dir.rename(aside)
    return f"fresh data in {data_dir}; the earlier data is now in {aside}"
