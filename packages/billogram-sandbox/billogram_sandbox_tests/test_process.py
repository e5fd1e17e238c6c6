"""The sandbox as a process of its own, started, killed, and started again on the same file."""

import asyncio
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from billogram_sandbox_tests.client import KEY, USER, Client, Receiver, ok

MODULE = (sys.executable, "-m", "billogram_sandbox")
STOPPED_WHILE_IT_STARTS = """
import signal, weakref, uvicorn
from billogram_sandbox.__main__ import main

class Thing: ...

def stopped(server, sockets, run=uvicorn.Server.run):
    thing = Thing()
    watched = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
    del thing
    run(server, sockets)

uvicorn.Server.run = stopped
main()
"""
SCRIPT = Path(sys.executable).with_name("billogram-sandbox")


async def test_what_was_answered_survives_a_kill_and_the_clock_goes_on(tmp_path: Path, receiver: Receiver) -> None:
    async with sandbox_process(tmp_path / "a.db") as (client, process):
        await client.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s"})
        billogram = await client.sent(due_days=5)
        await client.advance("4d")
        process.kill()
    async with sandbox_process(tmp_path / "a.db") as (client, process):
        kept = await client.get(billogram["id"])
        await client.advance("2d")
        overdue = await client.get(billogram["id"])
        process.terminate()
        await asyncio.wait_for(process.wait(), 5)
    await receiver.holds(3)

    assert kept | {"url": "", "recipient_url": ""} == billogram | {"url": "", "recipient_url": ""}
    assert overdue["state"] == "Overdue"


async def test_a_request_that_is_never_answered_is_carried_out_all_the_same(tmp_path: Path) -> None:
    async with sandbox_process(tmp_path / "a.db") as (client, process):
        await client.control("PUT", "/faults", {"api": {"timeout": 1}})
        with pytest.raises(httpx.ReadTimeout):
            await client.http.post("/api/v2/customer", json={"name": "Lisa"}, auth=(USER, KEY), timeout=0.3)
        await client.control("PUT", "/faults", {})
        listed = ok(await client.api("GET", "/customer"))["data"]
        process.terminate()
        await asyncio.wait_for(process.wait(), 5)

    assert [each["name"] for each in listed] == ["Lisa"]


async def test_credentials_not_given_are_made_once_and_printed(tmp_path: Path) -> None:
    outputs = [await _printed("--port", "0", "--data", str(tmp_path / "b.db")) for _ in range(2)]
    user, key = (outputs[0].splitlines()[n].split(": ")[1] for n in (1, 2))

    assert outputs[0].splitlines()[1:3] == outputs[1].splitlines()[1:3]
    assert (len(user), len(key)) == (13, 32)


async def test_it_answers_from_its_first_line_on_within_two_seconds_and_ends_in_good_order() -> None:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(SCRIPT, "--port", "0", "--data", ":memory:", stdout=PIPE)
    assert process.stdout
    address = (await process.stdout.readline()).decode().split()[-1]
    async with httpx.AsyncClient(base_url=address) as http:
        answer = await http.get("/sandbox/clock")
    took = time.monotonic() - began
    process.terminate()
    await process.communicate()

    assert answer.is_success
    assert process.returncode == 0
    assert took < 2


async def test_a_stop_is_heeded_where_python_loses_exceptions() -> None:
    command = (sys.executable, "-c", STOPPED_WHILE_IT_STARTS, "--port", "0", "--data", ":memory:")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        await asyncio.wait_for(process.wait(), 10)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

    assert process.returncode == 0


async def test_a_busy_port_and_a_file_that_can_not_be_written_are_one_line_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = await _refused("--port", str(port), "--data", str(tmp_path / "a.db"))
    nowhere = await _refused("--port", "0", "--data", str(tmp_path / "no folder" / "a.db"))

    assert busy.startswith(f"billogram-sandbox: port {port} is busy; stop what uses it, or give another: --port ")
    assert nowhere.startswith(f"billogram-sandbox: can't write {tmp_path}/no folder/a.db: ")
    assert "--data FILE" in nowhere
    assert (busy.count("\n"), nowhere.count("\n")) == (1, 1)


@asynccontextmanager
async def sandbox_process(data: Path, user: str = USER, key: str = KEY) -> AsyncIterator[tuple[Client, Process]]:
    arguments = ("--port", "0", "--data", str(data), "--user", user, "--key", key)
    process = await asyncio.create_subprocess_exec(*MODULE, *arguments, stdout=PIPE)
    assert process.stdout
    try:
        address = (await process.stdout.readline()).decode().split()[-1]
        async with httpx.AsyncClient(base_url=address) as http:
            yield Client(http), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _printed(*arguments: str) -> str:
    """All that it prints until it is stopped, once it has printed where it is."""
    process = await asyncio.create_subprocess_exec(SCRIPT, *arguments, stdout=PIPE)
    assert process.stdout
    first = await process.stdout.readline()
    process.terminate()
    return (first + (await process.communicate())[0]).decode()


async def _refused(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(SCRIPT, *arguments, stdout=PIPE, stderr=PIPE)
    printed, complained = await process.communicate()
    assert (process.returncode, printed) == (1, b"")
    return complained.decode()
