"""The worker as a process: what is in its way is told in one line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.processes import environment


def test_a_busy_port_of_the_worker_is_told_in_one_line_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        told = environment(tmp_path, "127.0.0.1:1", AVTAL_WORKER_PORT=str(port))
        done = subprocess.run(
            [sys.executable, "-m", "worker"], env={**os.environ, **told}, capture_output=True, text=True, check=False
        )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port}" in done.stderr
    assert "AVTAL_WORKER_PORT" in done.stderr
