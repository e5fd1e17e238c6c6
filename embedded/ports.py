"""Where the parts of the stack answer, on this machine only."""

import socket
from typing import NamedTuple

HOST = "127.0.0.1"


class PortBusy(RuntimeError):
    """Something else answers where a part of the stack should."""


class Ports(NamedTuple):
    web: int = 8270
    sandbox: int = 8280
    temporal: int = 7233
    temporal_ui: int = 8233


def check_free(ports: Ports) -> None:
    """Raises PortBusy with the way out."""
    for name, port in ports._asdict().items():
        if not is_free(port):
            raise PortBusy(f"port {port} ({name}) is busy; stop what uses it, or run: avtal up --ports auto")


def free_ports() -> Ports:
    """The usual ports as far as they are free, so that links stay the same; else others."""
    return Ports(*(port if is_free(port) else _any_free() for port in Ports()))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
