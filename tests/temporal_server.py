"""Runs a Temporal dev server for tests, as an external cluster."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from avtal.embedded.dev_server import dev_server_command, temporal_program
from avtal.embedded.ports import HOST, any_ports

STARTUP_TIMEOUT_SECONDS = 30.0


@contextmanager
def temporal_server(folder: Path) -> Iterator[str]:
    """Yields its address. The server ends with the block, or with the test process."""
    ports = any_ports()
    command = dev_server_command(folder, ports, headless=True)
    with_parent = [sys.executable, "-P", "-m", "avtal.embedded.parent_death", str(os.getpid())]
    with (folder / "temporal.log").open("wb") as log:
        process = subprocess.Popen([*with_parent, *command], stdout=log, stderr=log)
    try:
        address = f"{HOST}:{ports.temporal}"
        _wait_until_healthy(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_healthy(address: str, process: "subprocess.Popen[bytes]") -> None:
    """The port is open some time before the server responds."""
    deadline = time.monotonic() + STARTUP_TIMEOUT_SECONDS
    check = [temporal_program(), "operator", "cluster", "health", "--address", address]
    while subprocess.run(check, capture_output=True, check=False).returncode != 0:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not respond"
        time.sleep(0.05)
