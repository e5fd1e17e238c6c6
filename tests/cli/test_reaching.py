"""How a command finds the web, and what it says when it can't; wrong usage."""

import json
import os
from pathlib import Path

import pytest

from avtal.cli.app import data_first
from avtal.embedded.addresses import Addresses, write_addresses
from tests.cli.running import avtal, done, refused


@pytest.mark.usefixtures("url")
def test_a_wrong_key_says_which_setting_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_API_KEY", "avtal_wrong")

    assert "AVTAL_API_KEY" in refused("list")


@pytest.mark.usefixtures("url")
def test_a_url_without_a_key_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AVTAL_API_KEY")

    assert "AVTAL_API_KEY is not" in refused("list")


def test_a_web_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AVTAL_API_KEY", "avtal_any")

    assert "does not answer" in refused("list")


def test_no_running_stack_says_how_to_start_one() -> None:
    assert "avtal up" in refused("show", "c-1")
    assert "elsewhere" in refused("show", "c-1", "--data", "elsewhere")
    assert "elsewhere" in refused("--data", "elsewhere", "show", "c-1")


def test_the_running_stack_is_found_by_its_addresses(url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AVTAL_URL")
    key = os.environ["AVTAL_API_KEY"]
    monkeypatch.delenv("AVTAL_API_KEY")
    data_dir.mkdir()
    write_addresses(
        data_dir,
        Addresses(
            web=url,
            worker="",
            sandbox="",
            temporal="",
            temporal_namespace="",
            temporal_ui=None,
            account="demo",
            api_key=key,
            billogram_user="",
            billogram_key="",
            operator_user="demo",
            operator_password="secret",
            pid=os.getpid(),
        ),
    )

    assert json.loads(done("list", "--json")) == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["show"],
        ["list", "--status", "gone"],
        ["cancel", "c-1", "--at", "soon"],
        ["waive", "c-1:0:r0"],
        ["web", "--only", "api,pages"],
        ["account", "set", "demo", "--payment-days", "400"],
        ["account", "set", "demo"],
        ["account", "create", "a/b"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert avtal(*arguments).exit_code == 2


@pytest.mark.parametrize("file", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_one_line(file: str) -> None:
    assert "can't be read" in refused("sell", "-f", file)


@pytest.mark.parametrize("part", ["worker", "web"])
def test_a_part_without_the_secret_key_says_so(part: str) -> None:
    assert "AVTAL_SECRET_KEY is not set" in refused(part)


def test_data_may_stand_anywhere_but_belongs_to_the_sandbox_after_its_name() -> None:
    assert data_first(["account", "show", "a", "--data", "d"]) == ["--data", "d", "account", "show", "a"]
    assert data_first(["--data=d", "sandbox", "--data", "f"]) == ["--data=d", "sandbox", "--data", "f"]
    assert data_first(["waive", "b", "--", "--data"]) == ["waive", "b", "--", "--data"]
