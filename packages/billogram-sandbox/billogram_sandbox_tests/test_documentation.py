"""Runs what README and docs show: shell commands, the Python test, JSON examples; and follows their links."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from billogram_sandbox_tests.client import Client, Json, ok
from billogram_sandbox_tests.server import sandbox_process

HERE = Path(__file__).parents[1]
PAGES = [HERE / "README.md", *sorted((HERE / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
ADDRESS = "http://127.0.0.1:8280"


async def test_quick_start_ends_with_a_paid_invoice(tmp_path: Path) -> None:
    commands = [block for block in blocks("sh") if "curl" in block]
    async with sandbox_process(tmp_path / "a.db", user="me", key="secret") as (client, _):
        script = "\n".join(["set -euo pipefail", *commands]).replace("curl ", "curl -sS --fail-with-body ")
        status, printed = await run("bash", "-c", script.replace(ADDRESS, str(client.http.base_url).rstrip("/")))
        [listed] = (await client.control("GET", "/billograms"))["billograms"]
        callbacks = await client.callbacks()

    assert (status, len(commands)) == (0, 3), printed
    assert (listed["state"], listed["total_sum"], listed["creditor_unique_value"]) == ("Paid", 398, "order-1")
    assert {each["type"] for each in callbacks} >= {"BillogramCreated", "BillogramSent", "Payment", "BillogramEnded"}
    assert [each["outcome"] for each in callbacks if each["outcome"] != "pending"] == []


async def test_pytest_example_passes(tmp_path: Path) -> None:
    (tmp_path / "test_page.py").write_text("\n".join(blocks("python")))
    status, printed = await run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path))

    assert (status, "1 passed" in printed) == (0, True), printed


async def test_faults_are_documented_and_json_examples_are_valid(client: Client) -> None:
    settings, faults = blocks("json")
    ok(await client.http.put("/sandbox/account", json=json.loads(settings)))
    for example in [json.loads(faults), *inline("/sandbox/faults")]:
        ok(await client.http.put("/sandbox/faults", json=example))
    wanted = (await client.control("GET", "/faults")).items()
    names = [name for _, group in wanted if isinstance(group, dict) for name in group]

    assert names
    assert [name for name in names if f"`{name}`" not in TEXT] == []
    assert len(inline("/sandbox/faults")) > 1


def test_links_lead_to_files() -> None:
    targets = [
        page.parent / link for page in PAGES for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    ]

    assert targets
    assert [target for target in targets if not target.exists()] == []


@pytest.mark.parametrize("option", ["--port", "--data", "--host", "--user", "--key"])
def test_option_is_documented(option: str) -> None:
    assert f"`{option}" in TEXT


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def inline(path: str) -> list[Json]:
    """The bodies that the text gives for a request in a sentence."""
    return [json.loads(text) for text in re.findall(rf"`PUT {path}` with `(\{{.*?\}})`", TEXT)]


async def run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, env=os.environ | {"PATH": TOOLS}
    )
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()
