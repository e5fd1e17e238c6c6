"""The sandbox's page is followed to the letter: its shell commands in one shell, its Python as a file of tests."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from billogram_sandbox_tests.client import Client, Json, ok
from billogram_sandbox_tests.test_process import sandbox_process

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
ADDRESS = "http://127.0.0.1:8280"


async def test_the_quick_start_ends_with_a_paid_invoice_and_callbacks_to_look_at(tmp_path: Path) -> None:
    commands = [block for block in blocks("sh") if "curl" in block]
    async with sandbox_process(tmp_path / "a.db", user="me", key="secret") as (client, _):
        script = "\n".join(["set -euo pipefail", *commands]).replace("curl ", "curl -sS --fail-with-body ")
        status, printed = await run("bash", "-c", script.replace(ADDRESS, str(client.http.base_url).rstrip("/")))
        [listed] = (await client.control("GET", "/billograms"))["billograms"]
        told = await client.callbacks()

    assert (status, len(commands)) == (0, 3), printed
    assert (listed["state"], listed["total_sum"], listed["creditor_unique_value"]) == ("Paid", 398, "order-1")
    assert {each["type"] for each in told} >= {"BillogramCreated", "BillogramSent", "Payment", "BillogramEnded"}
    assert all(attempt["error"] for each in told for attempt in each["attempts"])


async def test_the_fixture_and_the_test_of_the_page_pass(tmp_path: Path) -> None:
    (tmp_path / "test_page.py").write_text("\n".join(blocks("python")))
    status, printed = await run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path))

    assert (status, "1 passed" in printed) == (0, True), printed


async def test_every_fault_is_described_and_every_example_is_taken(client: Client) -> None:
    settings, faults = blocks("json")
    ok(await client.http.put("/sandbox/account", json=json.loads(settings)))
    for example in [json.loads(faults), *inline("/sandbox/faults")]:
        ok(await client.http.put("/sandbox/faults", json=example))
    wanted = (await client.control("GET", "/faults")).items()
    names = [name for _, group in wanted if isinstance(group, dict) for name in group]

    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert len(inline("/sandbox/faults")) > 1


@pytest.mark.parametrize("option", ["--port", "--data", "--host", "--user", "--key"])
def test_every_option_is_described(option: str) -> None:
    assert f"`{option}" in PAGE


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def inline(path: str) -> list[Json]:
    """What the page gives to one address in a sentence."""
    return [json.loads(text) for text in re.findall(rf"`PUT {path}` with `(\{{.*?\}})`", PAGE)]


async def run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, env=os.environ | {"PATH": TOOLS}
    )
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()
