"""The ports of the stack, on this machine only."""

import random
import socket
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

HOST = "127.0.0.1"
CANDIDATE_PORTS: Sequence[int] = range(20_000, 32_000)
"""Below the system's range for outgoing connections: one of those could take a port before the stack listens on it."""


class PortBusy(RuntimeError):
    """Another process uses a port of the stack."""


class Ports(NamedTuple):
    web: int = 8270
    sandbox: int = 8280
    temporal: int = 7233
    temporal_ui: int = 8233
    worker: int = 8271


def check_free(ports: Ports) -> None:
    """Raises PortBusy, which says what to do."""
    for name, port in ports._asdict().items():
        if not is_free(port):
            raise PortBusy(f"port {port} ({name}) is busy; stop what uses it, or run: avtal up --ports auto")


def free_ports() -> Ports:
    """The default ports as far as they are free, which keeps links valid; others otherwise."""
    return Ports(*(default if is_free(default) else other for default, other in zip(Ports(), any_ports(), strict=True)))


def any_ports() -> Ports:
    free = (port for port in random.sample(CANDIDATE_PORTS, len(CANDIDATE_PORTS)) if is_free(port))
    return Ports(*islice(free, len(Ports._fields)))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
