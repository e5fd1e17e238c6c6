"""`python -m billogram_sandbox`: the sandbox as a process of its own, on this machine's loopback."""

import argparse
import os
import sys

import uvicorn

from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings


def main() -> None:
    given = _arguments()
    app = create_app(Settings(data=given.data, user=given.user, key=given.key))
    credentials = app.state.sandbox.credentials
    sys.stdout.write(f"Billogram sandbox: http://{given.host}:{given.port}\nAPI user: {credentials.user}\n")
    if not given.key:
        sys.stdout.write(f"API key: {credentials.key}\n")
    sys.stdout.flush()
    uvicorn.run(
        app, host=given.host, port=given.port, log_level="warning", access_log=False, timeout_graceful_shutdown=5
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("billogram_sandbox", description="A local stand-in for Billogram.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", required=True, help="the SQLite file that holds everything")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--user", default=os.environ.get("BILLOGRAM_SANDBOX_USER"))
    parser.add_argument("--key", default=os.environ.get("BILLOGRAM_SANDBOX_KEY"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
