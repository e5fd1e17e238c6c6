"""The wheels in an environment of their own: their top-level names, and `avtal` in a folder with colliding names."""

import os
import shutil
import site
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from avtal.embedded.ports import HOST, any_ports
from avtal.store.engine.cipher import new_cipher_key
from tests.embedded.stack_process import until, up

ROOT = Path(__file__).parent.parent.parent
FORMER_NAMES = ("store", "web", "config", "api", "cli", "callbacks", "contracts", "portal", "telemetry", "embedded")
OWN_NAMES = ("worker", "workflows", "activities", "starter", "avtal", "billogram_sandbox")
"""`avtal` works in a folder with these too; `import starter` does not."""
COLLISION = "raise SystemExit('the module of the current folder was imported')\n"


class Environment(NamedTuple):
    wheels: Path
    programs: Path

    def run(self, folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = command
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=folder,
            env=environment(folder, **variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def environment(folder: Path, **variables: str) -> Mapping[str, str]:
    """Without the test run's own settings; the Temporal CLI is beside the tests' interpreter."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder), "AVTAL_DATA_DIR": str(folder / "data"), **variables}


def uv(*arguments: str | Path) -> None:
    """Offline: the build backend is in uv's cache since the installation."""
    program = shutil.which("uv") or Path(sys.executable).parent / "uv"
    done = subprocess.run([program, *arguments, "--offline", "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Both wheels in an empty environment; all other packages come from the tests' environment."""
    folder = tmp_path_factory.mktemp("installed")
    wheels, target = folder / "wheels", folder / "env"
    uv("build", "--wheel", "--out-dir", wheels, ROOT)
    uv("build", "--wheel", "--out-dir", wheels, ROOT / "packages" / "billogram-sandbox")
    uv("venv", "--python", sys.executable, target)
    uv("pip", "install", "--python", target / "bin" / "python", "--no-deps", *wheels.glob("*.whl"))
    [packages] = target.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
    return Environment(wheels, target / "bin")


def folder_with(folder: Path, names: tuple[str, ...]) -> Path:
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text(COLLISION)
    return folder


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """A folder with a module of every name that could collide."""
    return folder_with(tmp_path / "crowded", FORMER_NAMES + OWN_NAMES)


@pytest.mark.parametrize(
    ("wheel", "names"),
    [
        ("avtal-*.whl", {"avtal", "workflows", "activities", "starter", "worker.py"}),
        ("billogram_sandbox-*.whl", {"billogram_sandbox"}),
    ],
)
def test_a_wheel_has_exactly_its_top_level_names(installed: Environment, wheel: str, names: set[str]) -> None:
    [file] = installed.wheels.glob(wheel)
    top_level = {name.partition("/")[0] for name in zipfile.ZipFile(file).namelist()}

    assert {name for name in top_level if not name.endswith(".dist-info")} == names


def test_the_stack_and_doctor_work_in_a_folder_with_colliding_names(installed: Environment, crowded: Path) -> None:
    data = crowded / "data"
    with up(data, program=installed.programs / "avtal", folder=crowded, environment=environment(crowded)):
        doctor = installed.run(crowded, "avtal", "doctor")

    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def test_web_worker_and_sandbox_work_in_a_folder_with_colliding_names(installed: Environment, crowded: Path) -> None:
    ports = any_ports()
    variables = {
        "AVTAL_SECRET_KEY": new_cipher_key(),
        "AVTAL_WEB_PORT": str(ports.web),
        "AVTAL_SANDBOX_PORT": str(ports.sandbox),
        "TEMPORAL_ADDRESS": f"{HOST}:1",
    }
    with started(installed, crowded, "web", variables), started(installed, crowded, "sandbox", variables):
        until(lambda: responds(f"http://{HOST}:{ports.web}/healthz"))
        until(lambda: responds(f"http://{HOST}:{ports.sandbox}/sandbox/clock"))
        busy_port = {"AVTAL_WORKER_PORT": str(ports.web)}
        worker = installed.run(crowded, "avtal", "worker", **variables, **busy_port)

    assert worker.stderr.startswith("the worker can't listen on"), worker.stderr


@contextmanager
def started(installed: Environment, folder: Path, part: str, variables: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [installed.programs / "avtal", part],
        cwd=folder,
        env=environment(folder, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        assert process.poll() is None, f"{part} ended"
    finally:
        process.kill()
        process.wait()


def responds(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def test_starter_is_imported_in_a_folder_with_former_names(installed: Environment, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "backend", FORMER_NAMES)
    listing = (
        "import pkgutil, starter; print(*(found.name for found in pkgutil.iter_modules(starter.__path__, 'starter.')))"
    )
    modules = installed.run(folder, "python", "-c", listing).stdout.split()
    result = installed.run(folder, "python", "-c", f"import {', '.join(modules)}; print(starter.__file__)")

    assert "starter.sale" in modules
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(installed.programs.parent)
