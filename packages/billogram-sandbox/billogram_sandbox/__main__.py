"""`billogram-sandbox`, or `python -m billogram_sandbox`: the sandbox as a process of its own, until it is stopped."""

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

from billogram_sandbox.api.connection import Connection
from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings

DEFAULT_PORT, DEFAULT_FILE = 8280, "billogram_sandbox.db"
EPILOG = """examples:
  billogram-sandbox                                keeps everything in billogram_sandbox.db, here
  billogram-sandbox --data :memory: --port 0       forgets everything when it ends, on a port that is free
  billogram-sandbox --user me --key secret         with the credentials that your client has

It answers this machine only, unless --host says otherwise; the control plane does so in any case."""


def main() -> None:
    given = _arguments()
    listening = _listen(given.host, given.port)
    app = _app(Settings(data=given.data, user=given.user, key=given.key), given.data)
    config = uvicorn.Config(app, http=Connection, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    # Noted from the first line on, and also when uvicorn raises it once more at the end; an exception could be lost.
    signal.signal(signal.SIGTERM, server.handle_exit)
    _tell(app, listening, given)
    try:
        server.run([listening])
    except KeyboardInterrupt:
        sys.stdout.write("\n")


def _listen(host: str, port: int) -> socket.socket:
    """Before anything else, so that what is told holds: requests wait from here on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            _fail(f"port {port} is busy; stop what uses it, or give another: --port {port + 1}, or 0 for any free one")
        _fail(f"can't listen on {host} port {port}: {error}; give another --port or --host")


def _app(settings: Settings, file: str) -> Starlette:
    try:
        return create_app(settings)
    except sqlite3.Error as error:
        _fail(f"can't write {file}: {error}; give another file: --data FILE, or :memory: to keep nothing")


def _tell(app: Starlette, listening: socket.socket, given: argparse.Namespace) -> None:
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
        description="A Billogram that runs on this machine, to develop and test against.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"{DEFAULT_PORT} unless given; 0 takes one that is free"
    )
    parser.add_argument(
        "--data",
        metavar="FILE",
        default=DEFAULT_FILE,
        help=f"the SQLite file that holds everything, made if it is not there; {DEFAULT_FILE} unless given",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to answer on; 127.0.0.1 unless given")
    parser.add_argument(
        "--user",
        default=os.environ.get("BILLOGRAM_SANDBOX_USER"),
        help="the API user, also as BILLOGRAM_SANDBOX_USER; made up, kept in the file, and printed unless given",
    )
    parser.add_argument(
        "--key",
        default=os.environ.get("BILLOGRAM_SANDBOX_KEY"),
        help="the API user's key, also as BILLOGRAM_SANDBOX_KEY; likewise, and not printed if given",
    )
    return parser.parse_args()


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"billogram-sandbox: {message}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
