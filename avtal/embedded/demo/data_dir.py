"""The demo's data directory: fresh each time, and what another made of it is never lost."""

import shutil
from datetime import datetime
from pathlib import Path

from avtal.embedded.stack import AlreadyRunning, hold

MARK = "demo"
"""A file in a directory that a demo made, and that the next one may replace."""


class NotFresh(RuntimeError):
    """The directory can't be had; the text says what to do."""


def fresh(data_dir: Path, now: datetime) -> str:
    """Empties the way for a new stack; the answer tells what became of an earlier one. Raises NotFresh."""
    told = f"fresh data in {data_dir}"
    try:
        if data_dir.exists() and any(data_dir.iterdir()):
            _require_idle(data_dir)
            told = _remove(data_dir) if (data_dir / MARK).is_file() else _move_aside(data_dir, now)
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / MARK).write_text("Made by make demo; the next one replaces this directory.\n")
    except OSError as error:
        raise NotFresh(f"can't make {data_dir} fresh ({error}); set AVTAL_DATA_DIR to another directory") from error
    return told


def _require_idle(data_dir: Path) -> None:
    try:
        with (data_dir / "lock").open("a") as lock:
            hold(lock, data_dir)
    except AlreadyRunning as error:
        raise NotFresh(f"a stack runs on {data_dir}; stop it, or set AVTAL_DATA_DIR to another directory") from error


def _remove(data_dir: Path) -> str:
    shutil.rmtree(data_dir)
    return f"fresh data in {data_dir}; an earlier demo's is replaced"


def _move_aside(data_dir: Path, now: datetime) -> str:
    aside = data_dir.with_name(f"{data_dir.name}-{now:%Y%m%d-%H%M%S}")
    data_dir.rename(aside)
    return f"fresh data in {data_dir}; what was there is kept in {aside}"
