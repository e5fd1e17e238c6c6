"""The command `billogram-sandbox`, also `python -m billogram_sandbox`."""

import argparse
import errno
import os
import signal
import socket
import sqlite3
import sys
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from billogram_sandbox.api.middleware import HANG_UP
from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings

DEFAULT_PORT, DEFAULT_FILE = 8280, "billogram_sandbox.db"
EPILOG = """examples:
  billogram-sandbox                                stores its data in billogram_sandbox.db, in this folder
  billogram-sandbox --data :memory: --port 0       stores nothing, and takes a free port
  billogram-sandbox --user me --key secret         with the credentials of your client

It listens on 127.0.0.1 unless --host is given. The control plane answers this machine only, whatever the host."""


class Connection(HttpToolsProtocol):
    """Lets the application close the connection without a response, for the faults that hang up.

    ASGI has no message for that, and uvicorn no other hook to the transport.
    """

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"close": self.transport.close}}


def main() -> None:
    given = _arguments()
    listening = _listen(given.host, given.port)
    app = _create_app(Settings(data=given.data, user=given.user, key=given.key), given.data)
    config = uvicorn.Config(app, http=Connection, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    # uvicorn installs its own handlers when it serves and raises the signal again when it stops. Setting a flag
    # covers the time before and after; an exception raised by a handler could be lost in a destructor.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: setattr(server, "should_exit", True))
    _print_addresses(app, listening, given)
    try:
        server.run([listening])
    except KeyboardInterrupt:
        sys.stdout.write("\n")


def _listen(host: str, port: int) -> socket.socket:
    """Listens before the addresses are printed: requests are accepted from then on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            _fail(f"port {port} is busy; stop the process that uses it, or give another: --port {port + 1}, or 0")
        _fail(f"can't listen on {host} port {port}: {error}; give another --port or --host")


def _create_app(settings: Settings, file: str) -> Starlette:
    try:
        return create_app(settings)
    except sqlite3.Error as error:
        _fail(f"can't write {file}: {error}; give another file: --data FILE, or :memory: to store nothing")


def _print_addresses(app: Starlette, listening: socket.socket, given: argparse.Namespace) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    credentials = app.state.sandbox.credentials
    lines = [f"Billogram sandbox: {url}", f"API user: {credentials.user}"]
    if not given.key:
        lines.append(f"API key: {credentials.key}")
    lines += [
        f"API: {url}/api/v2",
        f"Control plane: {url}/sandbox/clock, {url}/sandbox/callbacks, {url}/sandbox/faults",
        f"Data: {'in memory' if given.data == ':memory:' else given.data}",
        "Ctrl-C stops it.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "billogram-sandbox",
        description="A local Billogram to develop and test against.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"{DEFAULT_PORT} unless given; 0 takes a free one"
    )
    parser.add_argument(
        "--data",
        metavar="FILE",
        default=DEFAULT_FILE,
        help=f"the SQLite file for all data, created if missing; {DEFAULT_FILE} unless given",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; 127.0.0.1 unless given")
    parser.add_argument(
        "--user",
        default=os.environ.get("BILLOGRAM_SANDBOX_USER"),
        help="the API user, also as BILLOGRAM_SANDBOX_USER; created, stored in the file, and printed unless given",
    )
    parser.add_argument(
        "--key",
        default=os.environ.get("BILLOGRAM_SANDBOX_KEY"),
        help="the API user's key, also as BILLOGRAM_SANDBOX_KEY; likewise; not printed if given",
    )
    return parser.parse_args()


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"billogram-sandbox: {message}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
