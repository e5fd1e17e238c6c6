"""Billogram's client, connected to a sandbox behind a real socket."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from billogram_api import BillogramAPI

from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, USER


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox behind a real socket; early connections wait."""
    data = tmp_path_factory.mktemp("official") / "sandbox.db"
    config = uvicorn.Config(create_app(Settings(data=data, user=USER, key=KEY)), log_level="warning")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def api(base: str) -> Any:  # Any: the client carries no types
    return BillogramAPI(USER, KEY, api_base=f"{base}/api/v2")
