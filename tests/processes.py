"""The web and the worker as processes of their own, on a store and a Temporal server that a test chooses."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import httpx

from avtal.embedded.ports import HOST, any_ports
from avtal.store.engine.migrate import migrate
from tests.store.builders import KEY

WAIT_SECONDS_MAX = 30.0
MODULES = {"web": "avtal.web", "worker": "worker"}
Process = subprocess.Popen[bytes]


def environment(data_dir: Path, temporal: str, **more: str) -> dict[str, str]:
    """For a process on the store of this directory, with ports of its own."""
    ports = any_ports()
    return {
        "AVTAL_DATA_DIR": str(data_dir),
        "AVTAL_SECRET_KEY": KEY,
        "AVTAL_WEB_PORT": str(ports.web),
        "AVTAL_WORKER_PORT": str(ports.worker),
        "TEMPORAL_ADDRESS": temporal,
    } | more


def migrated_store(data_dir: Path) -> str:
    """The URL of a new store, where a process on this directory finds it."""
    url = f"sqlite:///{data_dir / 'avtal.db'}"
    migrate(url)
    return url


@contextmanager
def running_process(name: str, settings: Mapping[str, str]) -> Iterator[tuple[Process, str]]:
    """The process, once it is live, and its base URL. It is killed at the end if it still runs."""
    base = f"http://{HOST}:{settings[f'AVTAL_{name.upper()}_PORT']}"
    with TemporaryFile() as log:
        command = [sys.executable, "-P", "-m", MODULES[name]]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=log)
        try:
            wait_until(lambda: process.poll() is not None or status_of(f"{base}/healthz") == 200)
            assert process.poll() is None, log.seek(0) or log.read().decode()
            yield process, base
        finally:
            process.kill()
            process.wait()


def status_of(url: str) -> int | None:
    try:
        return httpx.get(url).status_code
    except httpx.TransportError:
        return None


def readiness_errors(base: str) -> dict[str, str]:
    """By the part that is not ready."""
    body = httpx.get(f"{base}/readyz", timeout=10).json()
    return {error["pointer"].removeprefix("/"): error["detail"] for error in body.get("errors", [])}


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, f"not true within {WAIT_SECONDS_MAX} s"
        time.sleep(0.02)
