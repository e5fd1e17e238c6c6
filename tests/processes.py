"""The web and the worker as processes of their own, on a store and a Temporal that a test chooses."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from avtal.embedded.ports import HOST, any_ports
from avtal.store.engine.migrate import migrate
from tests.store.builders import KEY

WITHIN_SECONDS = 30.0
MODULES = {"web": "avtal.web", "worker": "worker"}
Process = subprocess.Popen[str]


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


def migrated(data_dir: Path) -> str:
    """The store's address as a process on this directory finds it."""
    url = f"sqlite:///{data_dir / 'avtal.db'}"
    migrate(url)
    return url


@contextmanager
def running(module: str, told: Mapping[str, str]) -> Iterator[tuple[Process, str]]:
    """The process, once it answers, and its base URL; whatever is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", MODULES[module]], env={**os.environ, **told}, stderr=subprocess.PIPE, text=True
    )
    base = f"http://{HOST}:{told[f'AVTAL_{module.upper()}_PORT']}"
    try:
        until(lambda: process.poll() is not None or answer(base, "/healthz") == 200)
        yield process, base
    finally:
        process.kill()
        process.communicate()


def answer(base: str, path: str) -> int | None:
    try:
        return httpx.get(base + path).status_code
    except httpx.TransportError:
        return None


def troubles(base: str) -> dict[str, str]:
    """What is not ready, and why."""
    found = httpx.get(f"{base}/readyz", timeout=10).json()
    return {error["pointer"].removeprefix("/"): error["detail"] for error in found.get("errors", [])}


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
