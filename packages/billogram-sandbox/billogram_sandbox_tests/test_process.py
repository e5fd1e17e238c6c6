"""The sandbox as a process: started, killed, restarted on the same file."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx
import pytest

from billogram_sandbox_tests.client import KEY, USER, Receiver, ok
from billogram_sandbox_tests.server import sandbox_process

SIGTERM_IN_A_DESTRUCTOR = """
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
SLOW_IMPORTS = {"aiohttp", "reportlab", "segno", "billogram_sandbox.api.openapi.document"}
SCRIPT = Path(sys.executable).with_name("billogram-sandbox")


async def test_answered_requests_and_the_clock_survive_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    async with sandbox_process(tmp_path / "a.db") as (client, process):
        await client.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s"})
        billogram = await client.sent(due_days=5)
        await client.advance("4d")
        process.kill()
    async with sandbox_process(tmp_path / "a.db") as (client, process):
        restored = await client.get(billogram["id"])
        await client.advance("2d")
        overdue = await client.get(billogram["id"])
        process.terminate()
        await asyncio.wait_for(process.wait(), 5)
    await receiver.holds(3)

    assert restored | {"url": "", "recipient_url": ""} == billogram | {"url": "", "recipient_url": ""}
    assert overdue["state"] == "Overdue"


async def test_request_without_response_is_carried_out(tmp_path: Path) -> None:
    async with sandbox_process(tmp_path / "a.db") as (client, process):
        await client.control("PUT", "/faults", {"api": {"timeout": 1}})
        with pytest.raises(httpx.ReadTimeout):
            await client.http.post("/api/v2/customer", json={"name": "Lisa"}, auth=(USER, KEY), timeout=0.3)
        await client.control("PUT", "/faults", {})
        listed = ok(await client.api("GET", "/customer"))["data"]
        process.terminate()
        await asyncio.wait_for(process.wait(), 5)

    assert [each["name"] for each in listed] == ["Lisa"]


async def test_missing_credentials_are_created_once_and_printed(tmp_path: Path) -> None:
    outputs = [await _printed("--port", "0", "--data", str(tmp_path / "b.db")) for _ in range(2)]
    user, key = (outputs[0].splitlines()[n].split(": ")[1] for n in (1, 2))

    assert outputs[0].splitlines()[1:3] == outputs[1].splitlines()[1:3]
    assert (len(user), len(key)) == (13, 32)


async def test_it_accepts_requests_from_its_first_line_until_terminated() -> None:
    process = await asyncio.create_subprocess_exec(SCRIPT, "--port", "0", "--data", ":memory:", stdout=PIPE)
    assert process.stdout
    address = (await process.stdout.readline()).decode().split()[-1]
    async with httpx.AsyncClient(base_url=address) as http:
        response = await http.get("/sandbox/clock")
    process.terminate()
    await process.communicate()

    assert response.is_success
    assert process.returncode == 0


async def test_slow_imports_wait_until_they_are_needed() -> None:
    program = "import sys, billogram_sandbox.__main__; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE)
    imported = set((await process.communicate())[0].decode().split())

    assert "billogram_sandbox.app" in imported
    assert imported & SLOW_IMPORTS == set()


async def test_sigterm_in_a_destructor_stops_it() -> None:
    command = (sys.executable, "-c", SIGTERM_IN_A_DESTRUCTOR, "--port", "0", "--data", ":memory:")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        await asyncio.wait_for(process.wait(), 10)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

    assert process.returncode == 0


async def test_busy_port_and_unwritable_file_are_explained_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = await _refused("--port", str(port), "--data", str(tmp_path / "a.db"))
    nowhere = await _refused("--port", "0", "--data", str(tmp_path / "no folder" / "a.db"))

    assert busy.startswith(
        f"billogram-sandbox: port {port} is busy; stop the process that uses it, or give another: --port "
    )
    assert nowhere.startswith(f"billogram-sandbox: can't write {tmp_path}/no folder/a.db: ")
    assert "--data FILE" in nowhere
    assert (busy.count("\n"), nowhere.count("\n")) == (1, 1)


async def _printed(*arguments: str) -> str:
    """Its output from start to SIGTERM."""
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
