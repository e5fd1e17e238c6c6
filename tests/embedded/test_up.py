"""`avtal up`: one process tree that stops cleanly and continues after a kill."""

import json
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from avtal.embedded.demo.data_dir import prepare_data_dir
from tests.embedded.stack_process import AVTAL, SALE, addresses, avtal, kill_all, pids_of, refused, until, up

PARTS = {"web", "worker", "sandbox", "temporal"}


def bills(data: Path) -> list[str]:
    return [bill["status"] for bill in json.loads(avtal(data, "bills", "c-1001", "--json"))["items"]]


def invoices(data: Path) -> list[str]:
    response = httpx.get(addresses(data)["sandbox"] + "/sandbox/billograms")
    return sorted(billogram["creditor_unique_value"] for billogram in response.json()["billograms"])


def listen(busy: socket.socket, port: int) -> None:
    """A killed process can hold its port a moment longer; a port that another process holds will do as well."""
    busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for _ in range(100):
        with suppress(OSError):
            busy.bind(("127.0.0.1", port))
            busy.listen()
            return
        time.sleep(0.02)


def test_ctrl_c_stops_all_parts(tmp_path: Path) -> None:
    with up(tmp_path) as stack:
        running = pids_of(tmp_path)
        mode = (tmp_path / "addresses.json").stat().st_mode & 0o777
        web = addresses(tmp_path)["web"]
        avtal(tmp_path, "sell", "-f", SALE)
        stack.send_signal(signal.SIGINT)
        code = stack.wait(30)

        assert len(running) >= 1 + len(PARTS)
        assert (mode, code) == (0o600, 0)
        assert pids_of(tmp_path) == []
        assert not (tmp_path / "addresses.json").exists()
        with pytest.raises(httpx.ConnectError):
            httpx.get(web)


def test_a_forward_continues_after_a_kill(tmp_path: Path) -> None:
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


def test_parts_end_when_the_stack_is_killed(tmp_path: Path) -> None:
    with up(tmp_path) as stack:
        parts = set(pids_of(tmp_path)) - {stack.pid}
        stack.kill()

        assert len(parts) >= len(PARTS)
        until(lambda: pids_of(tmp_path) == [])


def test_a_second_stack_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with up(tmp_path):
        assert "a stack already runs on" in refused(tmp_path, "up", "--ports", "auto")
        assert avtal(tmp_path, "list")


def test_the_clock_moves_by_at_most_50_years_at_a_time(tmp_path: Path) -> None:
    with up(tmp_path):
        for move in (["999y"], ["--to", "9998-01-01"]):
            assert "at most 50 years at a time" in refused(tmp_path, "forward", *move)


def test_after_up_a_demo_moves_the_directory_aside_instead_of_replacing_it(tmp_path: Path) -> None:
    data, at = tmp_path / "data", datetime(2026, 11, 28, 12, tzinfo=UTC)
    prepare_data_dir(data, at)
    with up(data):
        avtal(data, "sell", "-f", SALE)
    report = prepare_data_dir(data, at)

    assert "the earlier data is now in" in report
    assert (tmp_path / "data-20261128-120000" / "avtal.db").is_file()


def test_a_busy_port_is_refused_with_the_alternative(tmp_path: Path) -> None:
    with socket.socket() as busy:
        listen(busy, 8270)
        line = refused(tmp_path, "up")

    assert "8270" in line
    assert "--ports auto" in line


@pytest.mark.parametrize("command", [["up", "--ports", "auto"], ["migrate"], ["account", "show", "demo"]])
def test_a_data_folder_of_before_the_first_release_is_refused(tmp_path: Path, command: list[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "avtal.db")) as store, store:
        store.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        store.execute("INSERT INTO alembic_version VALUES ('0002')")

    assert "move the data folder aside" in refused(tmp_path, *command)
    assert not (tmp_path / "temporal.db").exists()


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a running stack with one contract."""
    data = tmp_path_factory.mktemp("sold")
    with up(data):
        avtal(data, "sell", "-f", SALE)
        yield data


def test_pay_settles_the_oldest_open_bill(sold: Path) -> None:
    partly = avtal(sold, "pay", "c-1001", "--amount", "100")
    rest = avtal(sold, "pay", "c-1001")

    assert partly == "c-1001:0:r0 is open: 295.00 of 395.00 SEK remains to be paid\n"
    assert rest == "c-1001:0:r0 is paid: 395.00 SEK\n"
    assert "c-1001 has no open bill" in refused(sold, "pay", "c-1001")
    assert "no contract c-2" in refused(sold, "pay", "c-2")


def test_pay_on_a_remote_avtal_is_refused(sold: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_URL", "https://avtal.example")
    monkeypatch.setenv("AVTAL_API_KEY", "any")

    assert "only the embedded stack's sandbox takes test payments" in refused(sold, "pay", "c-1001")
