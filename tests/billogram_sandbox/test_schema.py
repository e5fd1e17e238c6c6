"""The sandbox's own description: whole, true, and served without a fetch from elsewhere."""

import re

from billogram_sandbox.app import API, CONTROL, described
from billogram_sandbox.commands import COMMANDS
from billogram_sandbox.commands import run as run_command
from billogram_sandbox.operations import COMMANDS_TAKE, OPERATIONS
from tests.billogram_sandbox.calling import Client


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
