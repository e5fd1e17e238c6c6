"""Runs `avtal up` as a process, and commands against it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

AVTAL = Path(sys.executable).parent / "avtal"
SALE = Path(__file__).parent.parent.parent / "examples" / "sale.json"
TIMEOUT_SECONDS = 60.0

Up = subprocess.Popen[str]


@contextmanager
def up(
    data: Path, *, program: Path = AVTAL, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Up]:
    """A running stack on free ports. What is left of it at the end is killed."""
    command: list[str | Path] = [program, "up", "--headless", "--ports", "auto", "--data", data]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: (data / "addresses.json").exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        kill_all(data)
        process.communicate()


def avtal(data: Path, *arguments: str | Path) -> str:
    """What the command printed."""
    result = run(data, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(data: Path, *arguments: str | Path) -> str:
    """The one line on stderr of a command that failed."""
    result = run(data, *arguments)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1), result
    return result.stderr


def run(data: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [AVTAL, *arguments, "--data", data]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not true after {TIMEOUT_SECONDS:.0f} s"
        time.sleep(0.02)


def pids_of(data: Path) -> list[int]:
    """Every process with this directory in its arguments or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(data).encode() in text and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def kill_all(data: Path) -> None:
    for pid in pids_of(data):
        with suppress(ProcessLookupError):  # it has ended with its parent
            os.kill(pid, signal.SIGKILL)
    until(lambda: pids_of(data) == [])


def addresses(data: Path) -> dict[str, Any]:
    return dict(json.loads((data / "addresses.json").read_text()))
