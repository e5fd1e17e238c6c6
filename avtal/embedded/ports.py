"""Where the parts of the stack answer, on this machine only."""

import random
import socket
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

HOST = "127.0.0.1"
NOT_GIVEN: Sequence[int] = range(20_000, 32_000)


class PortBusy(RuntimeError):
    """Something else answers where a part of the stack should."""


class Ports(NamedTuple):
    web: int = 8270
    sandbox: int = 8280
    temporal: int = 7233
    temporal_ui: int = 8233
    worker: int = 8271


def check_free(ports: Ports) -> None:
    """Raises PortBusy with the way out."""
    for name, port in ports._asdict().items():
        if not is_free(port):
            raise PortBusy(f"port {port} ({name}) is busy; stop what uses it, or run: avtal up --ports auto")


def free_ports() -> Ports:
    """The usual ports as far as they are free, so that links stay the same; else others."""
    return Ports(*(usual if is_free(usual) else other for usual, other in zip(Ports(), any_ports(), strict=True)))


def any_ports() -> Ports:
    """Ports that nothing uses, and that the system gives to no connection which goes out: one would take them in the
    moment before we listen."""
    free = (port for port in random.sample(NOT_GIVEN, len(NOT_GIVEN)) if is_free(port))
    return Ports(*islice(free, len(Ports._fields)))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
