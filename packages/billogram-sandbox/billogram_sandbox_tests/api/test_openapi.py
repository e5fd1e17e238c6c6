"""The OpenAPI document: complete, correct, and served without external resources."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from billogram_sandbox.api.openapi.operations import COMMAND_ARGUMENTS, OPERATIONS
from billogram_sandbox.api.routes import API, CONTROL
from billogram_sandbox.app import create_app, openapi
from billogram_sandbox.lifecycle.commands import COMMANDS
from billogram_sandbox.lifecycle.commands import run as run_command
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, USER, Client
from billogram_sandbox_tests.response_check import check_response
from billogram_sandbox_tests.schema_fuzzer import CHECKS, KnownValues, fuzz

EXAMPLES = 5
ALL_CHECKS = (*CHECKS, "unsupported_method", "ignored_auth")
CLOSED_PORT_URL = "http://127.0.0.1:9/callbacks"
LIKE_CREATION = ("customers.update", "drafts.update")
"""Their bodies equal those of creation; covering them again takes as long as all other operations."""
GLOBAL = "^/sandbox/(faults|reset|stats)"
"""They would delete or disturb what other operations use."""


def test_operations_match_the_routes() -> None:
    handlers = {handler for _, _, handler in [*API, *CONTROL]} - {run_command}

    assert [handler.__qualname__ for handler in handlers - OPERATIONS.keys()] == []
    assert [handler.__qualname__ for handler in OPERATIONS.keys() - handlers] == []


def test_command_arguments_match_the_commands() -> None:
    assert COMMAND_ARGUMENTS.keys() == COMMANDS.keys()


async def test_openapi_document_is_served(client: Client) -> None:
    response = await client.http.get("/openapi.json")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == openapi()


async def test_docs_page_lists_every_path_without_external_resources(client: Client) -> None:
    response, paths = await client.http.get("/docs"), list(openapi()["paths"])

    assert response.headers["content-type"].startswith("text/html")
    assert [path for path in paths if path in response.text] == paths
    assert re.findall(r"<(?:script|link|img|iframe)|https?://", response.text) == []


async def test_docs_page_links_have_targets(client: Client) -> None:
    text = (await client.http.get("/docs")).text

    links = set(re.findall(r'href="#([^"]+)"', text))

    assert links
    assert links - set(re.findall(r'id="([^"]+)"', text)) == set()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A sandbox behind real HTTP, in a thread."""
    # The protocol is named: asyncio sets TCP_NODELAY only on sockets that it knows to be TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        app = create_app(Settings(data=tmp_path / "sandbox.db", user=USER, key=KEY))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


async def test_responses_conform_under_fuzzing(url: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        known = await known_values(Client(http))
    options = ("--auth", f"{USER}:{KEY}", "--exclude-path-regex", GLOBAL)

    tested = await fuzz(tmp_path, url, known, *options, examples=EXAMPLES, checks=ALL_CHECKS, chance_only=LIKE_CREATION)

    assert tested == operations(is_global=False)


async def test_global_operations_conform_under_fuzzing(url: str, tmp_path: Path) -> None:
    options = ("--include-path-regex", GLOBAL)

    tested = await fuzz(tmp_path, url, {}, *options, examples=EXAMPLES, checks=ALL_CHECKS)

    assert tested == operations(is_global=True)


@pytest.mark.parametrize(
    ("status", "content", "kind", "why"),
    [
        (418, b"{}", "application/json", "not declared"),
        (200, b"{}", "text/html", "not declared"),
        (200, b'{"now": "2026-01-01T00:00:00Z"}', "application/json", "required property"),
    ],
)
async def test_response_check_rejects_undocumented_responses(status: int, content: bytes, kind: str, why: str) -> None:
    request = httpx.Request("GET", "http://sandbox/sandbox/clock")
    response = httpx.Response(status, content=content, headers={"Content-Type": kind}, request=request)

    with pytest.raises(AssertionError, match=why):
        await check_response(response)


def operations(*, is_global: bool) -> int:
    paths = openapi()["paths"].items()
    return sum(len(verbs) for path, verbs in paths if bool(re.match(GLOBAL, path)) is is_global)


async def known_values(client: Client) -> dict[str, KnownValues]:
    """Customers, and billograms in several states."""
    customers = [(await client.customer())["customer_no"] for _ in range(3)]
    drafts = [(await client.draft())["id"] for _ in range(3)]
    sent = [(await client.sent(due_days=0, method=method))["id"] for method in ("Email", "Letter", "Email")]
    await client.advance("2d")
    new = [(await client.sent())["id"] for _ in range(5)]
    await client.pay(new[0])
    await client.pay(new[1], amount="10.00")
    await client.command(new[2], "credit", {"mode": "full"})
    return {
        "path.id": KnownValues([*drafts, *sent, *new, *customers]),
        "query.billogram_id": KnownValues([*drafts, *sent, *new], 0.5),
        "query.filter_value": KnownValues([*drafts, *sent, *new], 0.5),
        "body.customer.customer_no": KnownValues(customers, 0.9),
        "body.callback_url": KnownValues([CLOSED_PORT_URL], 1),
        "body.callbacks.url": KnownValues([CLOSED_PORT_URL], 1),
        "body.advance": KnownValues(["1d", "90s", "1y", "999999y", "999999d"], 0.9),
        "body.set": KnownValues(["2030-01-01T00:00:00Z", "9998-12-31T00:00:00Z"], 0.9),
    }
