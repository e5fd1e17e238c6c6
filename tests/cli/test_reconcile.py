"""`avtal reconcile` on the store, against the sandbox on a real port."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avtal.cli.opened_store import clock_of
from avtal.store.engine.cipher import new_cipher_key
from avtal.store.engine.clock import TestClock
from avtal.store.engine.database import Database
from billogram_sandbox_tests.client import KEY, USER
from tests.billogram.builders import Platform
from tests.cli.command import avtal, refused, succeeded

PAPER = ("account", "create", "paper", "--billogram-user", USER, "--billogram-key", KEY, "--billogram-url")


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_SECRET_KEY", new_cipher_key())


@pytest.fixture(autouse=True)
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avtal.billogram.invoice_reads.RETRY_AFTER_SECONDS", ())


@pytest.mark.usefixtures("database")
def test_without_accounts_nothing_is_reported() -> None:
    assert succeeded("reconcile") == ""
    assert json.loads(succeeded("reconcile", "--json")) == []


@pytest.mark.usefixtures("database")
def test_an_unknown_account_is_refused_in_one_line() -> None:
    assert refused("reconcile", "nobody") == "there is no account nobody"


def test_without_a_store_the_command_says_how_to_create_one() -> None:
    assert "avtal migrate" in refused("reconcile")


def test_each_account_with_an_unreachable_billogram_has_one_line(database: Database) -> None:
    assert database.url
    for name in ("paper", "weekly"):
        succeeded("account", "create", name, "--billogram-url", "http://127.0.0.1:1/api/v2")
    result = avtal("reconcile", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (1, [])
    assert result.stderr.splitlines() == [
        "paper: Billogram could not be read: CONNECTION_REFUSED",
        "weekly: Billogram could not be read: CONNECTION_REFUSED",
    ]


@pytest.mark.usefixtures("database")
async def test_findings_are_printed_as_a_table_or_as_json(platform: Platform) -> None:
    """The command runs in a thread, because the event loop serves the sandbox."""
    billogram = await platform.other.sent(creditor_unique_value="c-9:0:r0")
    await asyncio.to_thread(succeeded, *PAPER, f"{platform.url}/api/v2")
    printed = await asyncio.to_thread(succeeded, "reconcile", "paper")
    [report] = json.loads(await asyncio.to_thread(succeeded, "reconcile", "--json"))

    assert "unknown" in printed
    assert "c-9:0:r0" in printed
    assert "paper: 1 found; 2 pages listed, 0 invoices read; callbacks without a bill: 0, still failing: 0" in printed
    assert report == {
        "account": "paper",
        "pages": 2,
        "read": 0,
        "findings": [{"kind": "unknown", "bill_id": "c-9:0:r0", "billogram_id": billogram["id"]}],
        "callbacks": {"unmatched": 0, "failing": 0},
    }


def test_the_embedded_stack_reconciles_on_its_test_clock(data_dir: Path, database: Database) -> None:
    TestClock(database).set_offset(timedelta(days=300))
    alone = clock_of(database).now()
    (data_dir / "secrets.json").touch()

    assert alone - datetime.now(UTC) < timedelta(days=1)
    assert clock_of(database).now() - datetime.now(UTC) > timedelta(days=299)
