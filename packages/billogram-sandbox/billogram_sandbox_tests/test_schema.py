"""The sandbox's own description: whole, true, and served without a fetch from elsewhere."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from billogram_sandbox.api.operations import COMMANDS_TAKE, OPERATIONS
from billogram_sandbox.app import API, CONTROL, create_app, described
from billogram_sandbox.life.commands import COMMANDS
from billogram_sandbox.life.commands import run as run_command
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, USER, Client
from billogram_sandbox_tests.conforming import conforms
from billogram_sandbox_tests.stranger import CHECKS, Known, asks

EXAMPLES = 5
CHECKS_HERE = (*CHECKS, "unsupported_method", "ignored_auth")
NOWHERE = "http://127.0.0.1:9/callbacks"
MUCH_LIKE_OTHERS = ("customers.update", "drafts.update")
"""What they take is what makes the thing; every combination of it once more takes as long as all the rest."""
OF_THE_WHOLE = "^/sandbox/(faults|reset|stats)"
"""What would take from the others what they ask for."""


def test_every_route_is_described_and_nothing_else() -> None:
    handlers = {handler for _, _, handler in [*API, *CONTROL]} - {run_command}

    assert [handler.__qualname__ for handler in handlers - OPERATIONS.keys()] == []
    assert [handler.__qualname__ for handler in OPERATIONS.keys() - handlers] == []


def test_every_command_is_described_and_nothing_else() -> None:
    assert COMMANDS_TAKE.keys() == COMMANDS.keys()


async def test_the_description_is_served_to_programs(client: Client) -> None:
    response = await client.http.get("/openapi.json")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == described()


async def test_the_page_for_people_names_every_operation_and_fetches_nothing(client: Client) -> None:
    response = await client.http.get("/docs")

    assert response.headers["content-type"].startswith("text/html")
    assert [path for path in described()["paths"] if path not in response.text] == []
    assert re.findall(r"<(?:script|link|img|iframe)|https?://", response.text) == []


async def test_every_link_of_the_page_leads_somewhere(client: Client) -> None:
    text = (await client.http.get("/docs")).text

    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A sandbox at an address of its own, which a stranger can ask."""
    # The protocol is named, for asyncio sends at once only over what it knows to be TCP.
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


async def test_the_sandbox_answers_as_it_is_described(url: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        known = await something_to_ask_for(Client(http))
    options = ("--auth", f"{USER}:{KEY}", "--exclude-path-regex", OF_THE_WHOLE)

    asked = await asks(
        tmp_path, url, known, *options, examples=EXAMPLES, checks=CHECKS_HERE, chance_only=MUCH_LIKE_OTHERS
    )

    assert asked == operations(of_the_whole=False)


async def test_what_concerns_the_whole_sandbox_answers_as_it_is_described(url: str, tmp_path: Path) -> None:
    options = ("--include-path-regex", OF_THE_WHOLE)

    asked = await asks(tmp_path, url, {}, *options, examples=EXAMPLES, checks=CHECKS_HERE)

    assert asked == operations(of_the_whole=True)


@pytest.mark.parametrize(
    ("status", "content", "kind", "why"),
    [
        (418, b"{}", "application/json", "not declared"),
        (200, b"{}", "text/html", "not declared"),
        (200, b'{"now": "2026-01-01T00:00:00Z"}', "application/json", "required property"),
    ],
)
async def test_an_answer_that_is_not_as_described_is_noticed(status: int, content: bytes, kind: str, why: str) -> None:
    request = httpx.Request("GET", "http://sandbox/sandbox/clock")
    response = httpx.Response(status, content=content, headers={"Content-Type": kind}, request=request)

    with pytest.raises(AssertionError, match=why):
        await conforms(response)


def operations(*, of_the_whole: bool) -> int:
    paths = described()["paths"].items()
    return sum(len(verbs) for path, verbs in paths if bool(re.match(OF_THE_WHOLE, path)) is of_the_whole)


async def something_to_ask_for(client: Client) -> dict[str, Known]:
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
        "path.id": Known([*drafts, *sent, *new, *customers]),
        "query.billogram_id": Known([*drafts, *sent, *new], 0.5),
        "query.filter_value": Known([*drafts, *sent, *new], 0.5),
        "body.customer.customer_no": Known(customers, 0.9),
        "body.callback_url": Known([NOWHERE], 1),
        "body.callbacks.url": Known([NOWHERE], 1),
        "body.advance": Known(["1d", "90s", "1y", "999999y", "999999d"], 0.9),
        "body.set": Known(["2030-01-01T00:00:00Z", "9998-12-31T00:00:00Z"], 0.9),
    }
