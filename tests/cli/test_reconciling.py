"""`avtal reconcile` on the store itself; what it finds and mends is told by the diaries."""

import json

import pytest

from store.cipher import new_cipher_key
from store.database import Database
from tests.cli.running import avtal, done, refused


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_SECRET_KEY", new_cipher_key())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billogram.readings.WAITS_SECONDS", ())


@pytest.mark.usefixtures("database")
def test_without_accounts_there_is_nothing_to_do() -> None:
    assert done("reconcile") == ""
    assert json.loads(done("reconcile", "--json")) == []


@pytest.mark.usefixtures("database")
def test_an_account_that_is_not_there_is_one_line() -> None:
    assert refused("reconcile", "nobody") == "there is no account nobody"


def test_without_a_store_it_says_how_to_make_one() -> None:
    assert "avtal migrate" in refused("reconcile")


def test_each_account_whose_platform_can_not_be_read_is_one_line(database: Database) -> None:
    assert database.url
    for name in ("paper", "weekly"):
        done("account", "create", name, "--billogram-url", "http://127.0.0.1:1/api/v2")
    result = avtal("reconcile", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (1, [])
    assert result.stderr.splitlines() == [
        "paper: Billogram could not be read: CONNECTION_REFUSED",
        "weekly: Billogram could not be read: CONNECTION_REFUSED",
    ]
