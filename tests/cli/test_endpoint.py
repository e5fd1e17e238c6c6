"""How a command finds the web, refusals without one, and wrong usage."""

import json
import os
from pathlib import Path

import pytest

from avtal.embedded.addresses import Addresses, write_addresses
from tests.cli.command import avtal, refused, succeeded


@pytest.mark.usefixtures("url")
def test_a_refused_key_names_the_setting_to_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_API_KEY", "avtal_wrong")

    assert "AVTAL_API_KEY" in refused("list")


@pytest.mark.usefixtures("url")
def test_a_url_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AVTAL_API_KEY")

    assert "AVTAL_API_KEY is not" in refused("list")


@pytest.mark.usefixtures("url")
def test_a_key_with_a_character_outside_ascii_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_API_KEY", "avtal_nyckelå")

    assert "AVTAL_API_KEY has a character that no API key has" in refused("list")


def test_an_unreachable_web_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AVTAL_API_KEY", "avtal_any")

    assert "does not respond" in refused("list")


def test_without_a_running_stack_the_command_says_how_to_start_one() -> None:
    assert "avtal up" in refused("show", "c-1")


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "c-1", "--data", "elsewhere"],
        ["show", "--data=elsewhere", "c-1"],
        ["--data", "elsewhere", "show", "c-1"],
        ["account", "show", "paper", "--data", "elsewhere"],
        ["account", "--data", "elsewhere", "show", "paper"],
        ["--data", "before", "now", "--data", "elsewhere"],
    ],
)
def test_data_is_accepted_before_and_after_the_command(arguments: list[str]) -> None:
    assert "elsewhere" in refused(*arguments)


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

    assert json.loads(succeeded("list", "--json")) == {"items": [], "next_cursor": None}


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
def test_an_unreadable_file_is_reported_in_one_line(file: str) -> None:
    assert "can't be read" in refused("sell", "-f", file)


@pytest.mark.parametrize("part", ["worker", "web"])
def test_web_and_worker_refuse_to_start_without_a_secret_key(part: str) -> None:
    assert "AVTAL_SECRET_KEY is not set" in refused(part)
