"""`avtal doctor`: on a healthy stack, and with one thing broken at a time."""

import email.utils
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response

from avtal.cli.doctor.command import State
from avtal.embedded.secrets_file import load_secrets
from avtal.store.opening import open_store
from avtal.store.tables import AccountRow
from tests.cli.command import avtal, succeeded
from tests.cli.conftest import serving
from tests.embedded.stack_process import addresses, up

UNREACHABLE = "127.0.0.1:1"
Findings = dict[str, dict[str, Any]]  # Any: as JSON has it


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a running embedded stack, which the tests only read."""
    data = tmp_path_factory.mktemp("stack")
    with up(data):
        yield data


@pytest.fixture
def installed(stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same stack, named by the environment as in production, with a copy of its store. Returns the copy's file."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(stack / "avtal.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    known = addresses(stack)
    for name, value in {
        "AVTAL_DATABASE_URL": f"sqlite:///{copy}",
        "AVTAL_SECRET_KEY": load_secrets(stack).cipher_key,
        "AVTAL_URL": known["web"],
        "AVTAL_API_KEY": known["api_key"],
        "TEMPORAL_ADDRESS": known["temporal"],
        "TEMPORAL_NAMESPACE": known["temporal_namespace"],
    }.items():
        monkeypatch.setenv(name, value)
    return copy


def examined(status: int = 1) -> Findings:
    result = avtal("doctor", "--json")
    assert result.exit_code == status, result.output
    report = json.loads(result.stdout)
    assert report["ok"] is (status == 0)
    return {finding["check"]: finding for finding in report["checks"]}


def states(findings: Findings, state: State) -> set[str]:
    return {name for name, finding in findings.items() if finding["state"] == state}


def set_account(file: Path, **values: object) -> None:
    database = open_store(f"sqlite:///{file}")
    with database.write() as session:
        session.execute(sa.update(AccountRow).values(**values))
    database.close()


def test_a_running_embedded_stack_is_healthy(stack: Path) -> None:
    lines = succeeded("doctor", "--data", str(stack)).splitlines()
    checked = " ".join(lines)

    assert [line for line in lines if not line.startswith("ok ")] == []
    for check in ("secrets", "schema", "namespace", "search attributes", "worker avtal-billing", "billogram demo"):
        assert check in checked
    assert "refuses unsigned callbacks" in checked


@pytest.mark.usefixtures("installed")
def test_an_installation_of_the_environment_is_healthy() -> None:
    findings = examined(status=0)

    assert states(findings, State.OK) == findings.keys()
    assert findings["test clock"]["message"] == "off"


@pytest.mark.parametrize(
    ("variable", "value", "check", "message", "advice"),
    [
        ("AVTAL_SECRET_KEY", "short", "secret key", "not a Fernet key", "set the key"),
        ("AVTAL_SECRET_KEY", "0" * 43 + "=", "secrets", "does not open the secrets of demo", "written with"),
        ("AVTAL_DATABASE_URL", "sqlite:////no/such/place/a.db", "database", "unable to open", "AVTAL_DATABASE_URL"),
        ("AVTAL_DATABASE_URL", "nonsense", "database", "is invalid", "AVTAL_DATABASE_URL"),
        ("TEMPORAL_ADDRESS", UNREACHABLE, "temporal", f"does not respond at {UNREACHABLE}", "server runs"),
        ("TEMPORAL_NAMESPACE", "nowhere", "namespace", "no namespace nowhere", "avtal migrate --temporal"),
        ("AVTAL_TASK_QUEUE", "idle", "worker idle", "no worker polls idle", "avtal worker"),
        ("AVTAL_TASK_QUEUE", "idle", "worker idle-billing", "no worker polls idle-billing", "avtal worker"),
        ("AVTAL_BUILD_ID", "v1", "worker version", "no version is current", "set-current-version"),
        ("AVTAL_URL", f"http://{UNREACHABLE}", "web", "does not respond", "avtal web"),
        ("AVTAL_URL", "no url", "web", "does not respond", "AVTAL_URL"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_a_wrong_setting_is_reported_with_advice(
    variable: str, value: str, check: str, message: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    finding = examined()[check]

    assert finding["state"] == State.WRONG
    assert message in finding["message"]
    assert advice in finding["advice"]


@pytest.mark.usefixtures("installed")
def test_checks_that_depend_on_an_unreachable_temporal_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", UNREACHABLE)
    findings = examined()

    assert states(findings, State.WRONG) == {"temporal"}
    assert states(findings, State.UNKNOWN) == {
        "namespace", "search attributes", "worker avtal", "worker avtal-billing", "worker version",
    }  # fmt: skip


@pytest.mark.usefixtures("installed")
def test_silent_services_are_reported_after_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        silent = f"127.0.0.1:{mute.getsockname()[1]}"
        monkeypatch.setattr("avtal.cli.doctor.installation.RESPONSE_TIMEOUT_SECONDS", 0.2)
        monkeypatch.setattr("avtal.cli.doctor.temporal_checks.RESPONSE_TIMEOUT_SECONDS", 0.2)
        monkeypatch.setenv("TEMPORAL_ADDRESS", silent)
        monkeypatch.setenv("AVTAL_URL", f"http://{silent}")
        findings = examined()

    assert states(findings, State.WRONG) == {"temporal", "web"}
    assert findings["temporal"]["message"] == f"{silent} does not respond"


def test_a_store_without_a_schema_must_be_migrated(installed: Path) -> None:
    installed.unlink()
    open_store(f"sqlite:///{installed}").engine.connect().close()
    findings = examined()

    assert findings["schema"]["advice"] == "run `avtal migrate`"
    assert findings["secrets"]["state"] == State.UNKNOWN


def test_a_store_of_a_newer_release_is_wrong(installed: Path) -> None:
    with closing(sqlite3.connect(installed)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert "newer than this code" in examined()["schema"]["message"]


def test_a_store_of_before_the_first_release_is_wrong(installed: Path) -> None:
    with closing(sqlite3.connect(installed)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")

    assert "move the data folder aside" in examined()["schema"]["advice"]


def test_wrong_credentials_differ_from_an_unreachable_billogram(installed: Path) -> None:
    set_account(installed, platform_user="1234-unknown")
    refused = examined()["billogram demo"]
    set_account(installed, platform_url=f"http://{UNREACHABLE}/api/v2")
    unreachable = examined()["billogram demo"]

    assert "refuses the credentials" in refused["message"]
    assert "avtal account set demo" in refused["advice"]
    assert "no usable response" in unreachable["message"]
    assert "CONNECTION_REFUSED" in unreachable["message"]


def test_an_account_without_credentials_and_keys_is_wrong(installed: Path) -> None:
    set_account(installed, platform_user="", callback_keys=[])
    findings = examined()

    assert findings["billogram demo"]["message"] == "no credentials"
    assert "every callback is refused" in findings["callback key demo"]["message"]


def test_missing_search_attributes_are_named(installed: Path, temporal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    del installed
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "temporal-system")
    finding = examined()["search attributes"]

    assert "AvtalAccount" in finding["message"]
    assert finding["advice"] == "run `avtal migrate --temporal`"


def test_a_test_clock_in_production_is_wrong(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del installed
    monkeypatch.setenv("AVTAL_TEST_CLOCK", "true")
    monkeypatch.setenv("AVTAL_DATABASE_URL", f"postgresql+psycopg://avtal:hidden-word@{UNREACHABLE}/avtal")
    findings = examined()

    assert {"test clock", "database"} <= states(findings, State.WRONG)
    assert "hidden-word" not in json.dumps(findings)


@pytest.mark.usefixtures("installed")
def test_readiness_signature_checks_and_clock_of_the_web_are_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "POST"])
    async def anything(request: Request) -> Response:
        date = email.utils.formatdate(time.time() - 100, usegmt=True)
        status = 503 if request.url.path == "/readyz" else 200
        return Response('{"detail": "not ready: store"}', status, {"date": date})

    with serving(app) as port:
        monkeypatch.setenv("AVTAL_URL", f"http://127.0.0.1:{port}")
        findings = examined()

        assert "not ready: store" in findings["web"]["message"]
        assert "accepts unsigned callbacks" in findings["receiver demo"]["message"]
        assert "ahead of it" in findings[f"clock of http://127.0.0.1:{port}"]["message"]


@pytest.mark.usefixtures("installed")
def test_a_web_without_the_receiver_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FastAPI()) as port:
        monkeypatch.setenv("AVTAL_URL", f"http://127.0.0.1:{port}")
        finding = examined()["receiver demo"]

    assert "responds with 404 instead of 401" in finding["message"]
    assert "the same database" in finding["advice"]


def test_without_any_installation_each_check_has_one_line() -> None:
    result = avtal("doctor")

    assert result.exit_code == 1
    assert "AVTAL_DATABASE_URL is not set" in result.stdout
    assert "Traceback" not in result.output
