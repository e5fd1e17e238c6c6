"""The worker as a process: a failed start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.processes import environment


def test_a_busy_worker_port_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        variables = environment(tmp_path, "127.0.0.1:1", AVTAL_WORKER_PORT=str(port))
        result = subprocess.run(
            [sys.executable, "-P", "-m", "worker"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port}" in result.stderr
    assert "AVTAL_WORKER_PORT" in result.stderr
