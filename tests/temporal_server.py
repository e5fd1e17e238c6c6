"""A Temporal dev server of a test's own, as a cluster that somebody else runs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avtal.embedded.dev_server import dev_server_command
from avtal.embedded.ports import HOST, any_ports

ANSWERS_WITHIN_SECONDS = 30.0


@contextmanager
def temporal_server(folder: Path) -> Iterator[str]:
    """Its address; it ends with the block, or with the tests' process."""
    ports = any_ports()
    command = dev_server_command(folder, ports, headless=True)
    leash = [sys.executable, "-P", "-m", "avtal.embedded.parent_death", str(os.getpid())]
    with (folder / "temporal.log").open("wb") as log:
        process = subprocess.Popen([*leash, *command], stdout=log, stderr=log)
    try:
        _until_open(ports.temporal, process)
        yield f"{HOST}:{ports.temporal}"
    finally:
        process.terminate()
        process.wait(30)


def _until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while True:
        with suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.05)
