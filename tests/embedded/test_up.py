"""`avtal up` as a person runs it: one process tree that stops clean, and that goes on after it was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

AVTAL = Path(sys.executable).parent / "avtal"
SALE = Path(__file__).parent.parent.parent / "examples" / "sale.json"
UP_WITHIN_SECONDS = 60.0

Up = subprocess.Popen[str]


@contextmanager
def up(data: Path, *options: str) -> Iterator[Up]:
    """A stack that answers; whatever is left of it at the end is killed."""
    command: list[str | Path] = [AVTAL, "up", "--headless", "--data", data, *(options or ("--ports", "auto"))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: (data / "addresses.json").exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        kill_all(data)
        process.communicate()


def avtal(data: Path, *arguments: str | Path) -> str:
    done = subprocess.run([AVTAL, "--data", data, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused_up(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [AVTAL, "up", "--data", data, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def hold(busy: socket.socket, port: int) -> None:
    """What was killed may hold its port a moment longer; one that someone else holds for good will do as well."""
    busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for _ in range(100):
        with suppress(OSError):
            busy.bind(("127.0.0.1", port))
            busy.listen()
            return
        time.sleep(0.02)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + UP_WITHIN_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def pids_of(data: Path) -> list[int]:
    """Every process that was told of this directory, in its words or its environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(data).encode() in told and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def kill_all(data: Path) -> None:
    for pid in pids_of(data):
        with suppress(ProcessLookupError):  # its parent's death took it along
            os.kill(pid, signal.SIGKILL)
    until(lambda: pids_of(data) == [])


def addresses(data: Path) -> dict[str, Any]:
    return dict(json.loads((data / "addresses.json").read_text()))


def bills(data: Path) -> list[str]:
    return [bill["status"] for bill in json.loads(avtal(data, "bills", "c-1001", "--json"))["items"]]


def invoices(data: Path) -> list[str]:
    answer = httpx.get(addresses(data)["sandbox"] + "/sandbox/billograms")
    return sorted(billogram["creditor_unique_value"] for billogram in answer.json()["billograms"])


def test_ctrl_c_stops_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with up(tmp_path) as stack:
        mode = (tmp_path / "addresses.json").stat().st_mode & 0o777
        web = addresses(tmp_path)["web"]
        avtal(tmp_path, "sell", "-f", SALE)
        stack.send_signal(signal.SIGINT)
        code = stack.wait(30)

        assert (mode, code) == (0o600, 0)
        assert pids_of(tmp_path) == []
        assert not (tmp_path / "addresses.json").exists()
        with pytest.raises(httpx.ConnectError):
            httpx.get(web)


def test_killed_in_the_middle_of_a_forward_it_goes_on_to_the_target_on_the_same_data(tmp_path: Path) -> None:
    with up(tmp_path):
        avtal(tmp_path, "sell", "-f", SALE)
        forward = subprocess.Popen([AVTAL, "--data", tmp_path, "forward", "1y"], stderr=subprocess.DEVNULL)
        until(lambda: len(bills(tmp_path)) > 3)
        kill_all(tmp_path)
        forward.wait(30)
        (tmp_path / "addresses.json").unlink()
    with up(tmp_path):
        until(lambda: len(bills(tmp_path)) == 13)
        now = json.loads(avtal(tmp_path, "now", "--json"))["now"]

        assert bills(tmp_path) == ["open"] * 13
        assert invoices(tmp_path) == sorted(f"c-1001:{number}:r0" for number in range(13))
        assert now[:4] == str(time.gmtime().tm_year + 1)


def test_when_only_the_stack_itself_is_killed_its_parts_go_with_it(tmp_path: Path) -> None:
    with up(tmp_path) as stack:
        stack.kill()
        until(lambda: pids_of(tmp_path) == [])


def test_a_second_stack_on_the_same_data_and_a_busy_port_are_told_in_one_line(tmp_path: Path) -> None:
    with up(tmp_path):
        second = refused_up(tmp_path, "--ports", "auto")
        shown = avtal(tmp_path, "list")
    with socket.socket() as busy:
        hold(busy, 8270)
        taken = refused_up(tmp_path)

    assert (second.returncode, second.stderr.count("\n")) == (1, 1)
    assert "a stack already runs on" in second.stderr
    assert shown
    assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
    assert "8270" in taken.stderr
    assert "--ports auto" in taken.stderr
