"""The sandbox as a process of its own, started, killed, and started again on the same file."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.billogram_sandbox.calling import KEY, USER, Client, Receiver, eventually, ok

MODULE = (sys.executable, "-m", "billogram_sandbox")


async def test_what_was_answered_survives_a_kill_and_the_clock_goes_on(tmp_path: Path, receiver: Receiver) -> None:
    async with _process(tmp_path / "a.db") as (client, process):
        await client.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s"})
        billogram = await client.sent(due_days=5)
        await client.advance("4d")
        process.kill()
    async with _process(tmp_path / "a.db") as (client, process):
        kept = await client.get(billogram["id"])
        await client.advance("2d")
        overdue = await client.get(billogram["id"])
        process.terminate()
        await asyncio.wait_for(process.wait(), 5)
    await receiver.holds(3)

    assert kept | {"url": "", "recipient_url": ""} == billogram | {"url": "", "recipient_url": ""}
    assert overdue["state"] == "Overdue"


async def test_a_request_that_is_never_answered_is_carried_out_all_the_same(tmp_path: Path) -> None:
    async with _process(tmp_path / "a.db") as (client, process):
        await client.control("PUT", "/faults", {"api": {"timeout": 1}})
        with pytest.raises(httpx.ReadTimeout):
            await client.http.post("/api/v2/customer", json={"name": "Lisa"}, auth=(USER, KEY), timeout=0.3)
        await client.control("PUT", "/faults", {})
        listed = ok(await client.api("GET", "/customer"))["data"]
        process.terminate()
        await asyncio.wait_for(process.wait(), 5)

    assert [each["name"] for each in listed] == ["Lisa"]


async def test_credentials_not_given_are_made_once_and_printed(tmp_path: Path) -> None:
    outputs = [await _printed(tmp_path / "b.db") for _ in range(2)]

    assert outputs[0] == outputs[1]
    assert len(outputs[0][1].removeprefix("API key: ")) == 32


@asynccontextmanager
async def _process(data: Path) -> AsyncIterator[tuple[Client, Process]]:
    port = _free_port()
    arguments = ("--port", str(port), "--data", str(data), "--user", USER, "--key", KEY)
    process = await asyncio.create_subprocess_exec(*MODULE, *arguments, stdout=PIPE)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            await _answers(http)
            yield Client(http), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _printed(data: Path) -> list[str]:
    """Only the credentials: the address differs."""
    arguments = ("--port", str(_free_port()), "--data", str(data))
    process = await asyncio.create_subprocess_exec(*MODULE, *arguments, stdout=PIPE)
    assert process.stdout
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
    process.kill()
    await process.communicate()
    return lines[1:]


async def _answers(http: httpx.AsyncClient) -> None:
    async def up() -> bool:
        try:
            return (await http.get("/sandbox/clock")).is_success
        except httpx.TransportError:
            return False

    await eventually(up)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
