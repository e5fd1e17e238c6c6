"""`avtal doctor`: a whole stack is well; then one thing at a time is broken, and its line says what to do."""

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
from avtal.embedded.secrets_file import secrets_of
from avtal.store.opening import open_store
from avtal.store.tables import AccountRow
from tests.cli.conftest import serving
from tests.cli.running import avtal, done
from tests.embedded.test_up import addresses, up

SOMEWHERE_DEAD = "127.0.0.1:1"
Findings = dict[str, dict[str, Any]]  # Any: as JSON has it


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of an embedded stack that runs; it is only looked at."""
    data = tmp_path_factory.mktemp("stack")
    with up(data):
        yield data


@pytest.fixture
def installed(stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, told by the environment as in production; the store is a copy, which may be broken. Its file."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(stack / "avtal.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    known = addresses(stack)
    for name, value in {
        "AVTAL_DATABASE_URL": f"sqlite:///{copy}",
        "AVTAL_SECRET_KEY": secrets_of(stack).cipher_key,
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
    told = json.loads(result.stdout)
    assert told["ok"] is (status == 0)
    return {finding["check"]: finding for finding in told["checks"]}


def states(findings: Findings, state: State) -> set[str]:
    return {name for name, finding in findings.items() if finding["state"] == state}


def set_account(file: Path, **values: object) -> None:
    database = open_store(f"sqlite:///{file}")
    with database.write() as session:
        session.execute(sa.update(AccountRow).values(**values))
    database.close()


def test_a_running_embedded_stack_is_well_and_found_by_its_addresses(stack: Path) -> None:
    lines = done("doctor", "--data", str(stack)).splitlines()
    checked = " ".join(lines)

    assert [line for line in lines if not line.startswith("ok ")] == []
    for what in ("secrets", "schema", "namespace", "search attributes", "worker avtal-billing", "billogram demo"):
        assert what in checked
    assert "refuses what is not signed" in checked


@pytest.mark.usefixtures("installed")
def test_an_installation_that_the_environment_names_is_well() -> None:
    findings = examined(status=0)

    assert states(findings, State.OK) == findings.keys()
    assert findings["test clock"]["words"] == "off"


@pytest.mark.parametrize(
    ("variable", "value", "check", "words", "advice"),
    [
        ("AVTAL_SECRET_KEY", "short", "secret key", "no Fernet key", "set the key"),
        ("AVTAL_SECRET_KEY", "0" * 43 + "=", "secrets", "does not open the secrets of demo", "written with"),
        ("AVTAL_DATABASE_URL", "sqlite:////no/such/place/a.db", "database", "unable to open", "AVTAL_DATABASE_URL"),
        ("AVTAL_DATABASE_URL", "nonsense", "database", "can't be used", "AVTAL_DATABASE_URL"),
        ("TEMPORAL_ADDRESS", SOMEWHERE_DEAD, "temporal", f"does not answer at {SOMEWHERE_DEAD}", "server runs"),
        ("TEMPORAL_NAMESPACE", "nowhere", "namespace", "no namespace nowhere", "avtal migrate --temporal"),
        ("AVTAL_TASK_QUEUE", "idle", "worker idle", "no worker polls idle", "avtal worker"),
        ("AVTAL_TASK_QUEUE", "idle", "worker idle-billing", "no worker polls idle-billing", "avtal worker"),
        ("AVTAL_BUILD_ID", "v1", "worker version", "no version is current", "set-current-version"),
        ("AVTAL_URL", f"http://{SOMEWHERE_DEAD}", "web", "does not answer", "avtal web"),
        ("AVTAL_URL", "no url", "web", "does not answer", "AVTAL_URL"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_a_wrong_setting_has_its_line(
    variable: str, value: str, check: str, words: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    finding = examined()[check]

    assert finding["state"] == State.WRONG
    assert words in finding["words"]
    assert advice in finding["advice"]


@pytest.mark.usefixtures("installed")
def test_what_hangs_on_a_thing_that_is_away_is_unknown_and_not_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", SOMEWHERE_DEAD)
    findings = examined()

    assert states(findings, State.WRONG) == {"temporal"}
    assert states(findings, State.UNKNOWN) == {
        "namespace", "search attributes", "worker avtal", "worker avtal-billing", "worker version",
    }  # fmt: skip


@pytest.mark.usefixtures("installed")
def test_what_keeps_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        silent = f"127.0.0.1:{mute.getsockname()[1]}"
        monkeypatch.setattr("avtal.cli.doctor.installation.ANSWERS_WITHIN_SECONDS", 0.2)
        monkeypatch.setattr("avtal.cli.doctor.temporal_checks.ANSWERS_WITHIN_SECONDS", 0.2)
        monkeypatch.setenv("TEMPORAL_ADDRESS", silent)
        monkeypatch.setenv("AVTAL_URL", f"http://{silent}")
        findings = examined()

    assert states(findings, State.WRONG) == {"temporal", "web"}
    assert findings["temporal"]["words"] == f"{silent} says nothing"


def test_a_store_without_a_schema_says_to_migrate(installed: Path) -> None:
    installed.unlink()
    open_store(f"sqlite:///{installed}").engine.connect().close()
    findings = examined()

    assert findings["schema"]["advice"] == "run `avtal migrate`"
    assert findings["secrets"]["state"] == State.UNKNOWN


def test_a_store_of_newer_code_says_to_deploy_it(installed: Path) -> None:
    with closing(sqlite3.connect(installed)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert "newer than this code" in examined()["schema"]["words"]


def test_wrong_credentials_of_billogram_are_told_apart_from_a_billogram_that_is_away(installed: Path) -> None:
    set_account(installed, platform_user="1234-stranger")
    refused = examined()["billogram demo"]
    set_account(installed, platform_url=f"http://{SOMEWHERE_DEAD}/api/v2")
    away = examined()["billogram demo"]

    assert "refuses the credentials" in refused["words"]
    assert "avtal account set demo" in refused["advice"]
    assert "no usable answer" in away["words"]
    assert "CONNECTION_REFUSED" in away["words"]


def test_an_account_without_keys_says_how_to_give_them(installed: Path) -> None:
    set_account(installed, platform_user="", callback_keys=[])
    findings = examined()

    assert findings["billogram demo"]["words"] == "no credentials"
    assert "every callback is refused" in findings["callback key demo"]["words"]


def test_attributes_that_are_not_registered_are_named(
    installed: Path, temporal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del installed
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "temporal-system")
    finding = examined()["search attributes"]

    assert "AvtalAccount" in finding["words"]
    assert finding["advice"] == "run `avtal migrate --temporal`"


def test_a_test_clock_outside_the_embedded_stack_is_wrong(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del installed
    monkeypatch.setenv("AVTAL_TEST_CLOCK", "true")
    monkeypatch.setenv("AVTAL_DATABASE_URL", f"postgresql+psycopg://avtal:hidden-word@{SOMEWHERE_DEAD}/avtal")
    findings = examined()

    assert {"test clock", "database"} <= states(findings, State.WRONG)
    assert "hidden-word" not in json.dumps(findings)


@pytest.mark.usefixtures("installed")
def test_a_web_that_is_not_ready_or_lets_anyone_in_or_lives_in_another_time_is_wrong(
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

        assert "not ready: store" in findings["web"]["words"]
        assert "takes what is not signed" in findings["receiver demo"]["words"]
        assert "ahead of it" in findings[f"clock of http://127.0.0.1:{port}"]["words"]


@pytest.mark.usefixtures("installed")
def test_a_web_without_the_receiver_says_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FastAPI()) as port:
        monkeypatch.setenv("AVTAL_URL", f"http://127.0.0.1:{port}")
        finding = examined()["receiver demo"]

    assert "answers 404 instead of 401" in finding["words"]
    assert "the same database" in finding["advice"]


def test_nothing_at_all_is_still_one_line_each() -> None:
    result = avtal("doctor")

    assert result.exit_code == 1
    assert "AVTAL_DATABASE_URL is not set" in result.stdout
    assert "Traceback" not in result.output
