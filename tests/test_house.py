"""The rules of this code base that no linter knows, each with an example that breaks it."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest

from tests.house import shape
from tests.house.source_tree import ROOT, Module, is_within, modules, texts
from tests.house.vacuous import vacuous_assertions
from tests.house.vocabulary import DIALECT_MAX, dialect, refused_identifiers, refused_module_names

FUNCTION_LINES_MAX = 50
FOLDER_FILES_MAX = 13
CLOCKS = {"now", "today", "utcnow"}
REPLAYS_DIFFERENTLY = (
    "io", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlalchemy", "subprocess", "threading", "time",
    "uuid", "zoneinfo", "httpx", "aiohttp",
)  # fmt: skip
CONFIGURATION = ("avtal.config",)
ENTRY_POINTS = ("avtal.cli", "avtal.embedded", "avtal.web", "worker", "avtal.telemetry", "avtal.config")
NOT_PRODUCT = ("tests", "benchmarks", "billogram_sandbox", "billogram_sandbox_tests")
WORKER_IMPORTS = (
    "activities", "workflows", "avtal.api.health", "avtal.api.problems", "avtal.billogram", "avtal.config",
    "avtal.contracts", "avtal.interpreter", "avtal.log_context", "avtal.store", "avtal.telemetry",
    "avtal.temporal_admin", "avtal.tracing",
)  # fmt: skip
"""The worker has no floor of its own for import-linter, because it is not a package."""
OURS = ("avtal", "workflows", "activities", "starter", "worker", "billogram_sandbox", "tests", "benchmarks")
MAY_IMPORT_WORKER = ("avtal.cli", "avtal.embedded", "tests", "benchmarks")
MAY_BE_EMPTY = {"workflows/__init__.py", "activities/__init__.py"}
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")

Rule = Callable[[Module], Iterator[str]]


def long_files(module: Module) -> Iterator[str]:
    yield from shape.long_files([module])


def long_functions(module: Module) -> Iterator[str]:
    for node in module.functions():
        count = (node.end_lineno or node.lineno) - node.lineno + 1
        if count > FUNCTION_LINES_MAX and shape.MIGRATIONS not in module.path:
            yield f"{module.path}: {node.name} has {count} lines"


def modules_without_docstring(module: Module) -> Iterator[str]:
    is_empty = module.path in MAY_BE_EMPTY and not module.text
    if not is_empty and not ast.get_docstring(module.tree):
        yield f"{module.path}: say what the module does"


def clocks_in_contracts(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if module.floor == "avtal.contracts" and isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            yield f"{module.path}:{node.lineno}: {node.attr}; take the time as an argument"


def different_replays(module: Module) -> Iterator[str]:
    """The worker runs workflows without Temporal's sandbox, so this test refuses what the sandbox would refuse."""
    if module.floor != "workflows":
        return
    yield from (f"{module.path}: imports {name}" for name in module.imports() if is_within(name, REPLAYS_DIFFERENTLY))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS and ast.unparse(node.value) in ("datetime", "date"):
            yield f"{module.path}:{node.lineno}: {node.attr}; take `workflow.now()`"


def configuration_below_entry_points(module: Module) -> Iterator[str]:
    if not is_within(module.dotted, ENTRY_POINTS + NOT_PRODUCT[:2]):
        yield from (f"{module.path}: imports {name}" for name in module.imports() if is_within(name, CONFIGURATION))


def worker_imported_below(module: Module) -> Iterator[str]:
    if not is_within(module.dotted, (*MAY_IMPORT_WORKER, "worker")):
        yield from (f"{module.path}: imports {name}" for name in module.imports() if is_within(name, ("worker",)))


def worker_imports(module: Module) -> Iterator[str]:
    if module.path == "worker.py":
        ours = (name for name in module.imports() if is_within(name, OURS))
        yield from (f"worker.py imports {name}" for name in ours if not is_within(name, WORKER_IMPORTS))


def imports_of_avtal_init(module: Module) -> Iterator[str]:
    if module.path == "avtal/__init__.py":
        yield from (f"{module.path}: imports {name}" for name in module.imports())


def unfinished(text: Module) -> Iterator[str]:
    for number, line in enumerate(text.text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{text.path}:{number}: {line.strip()}"


MODULE_RULES: Sequence[Rule] = (
    long_files, long_functions, modules_without_docstring, clocks_in_contracts, different_replays,
    configuration_below_entry_points, worker_imported_below, worker_imports, imports_of_avtal_init,
    refused_module_names, refused_identifiers, vacuous_assertions,
)  # fmt: skip
BREACHES: Sequence[tuple[Rule, Module]] = (
    (long_files, Module("avtal/store/a.py", "a = 1\n" * 301)),
    (long_files, Module("tests/a.py", "a = 1\n" * 301)),
    (long_functions, Module("tests/a.py", "def a():\n" + "    b()\n" * 50)),
    (modules_without_docstring, Module("avtal/store/__init__.py", "")),
    (modules_without_docstring, Module("workflows/__init__.py", "a = 1\n")),
    (clocks_in_contracts, Module("avtal/contracts/a.py", "from datetime import date\nb = date.today\n")),
    (different_replays, Module("workflows/a.py", "import random\n")),
    (different_replays, Module("workflows/a.py", "from datetime import datetime\na = datetime.now()\n")),
    (configuration_below_entry_points, Module("avtal/api/a.py", "def b():\n    from avtal.config import Settings\n")),
    (configuration_below_entry_points, Module("starter/a.py", "from avtal import config\n")),
    (worker_imported_below, Module("avtal/store/a.py", "import worker\n")),
    (worker_imported_below, Module("avtal/web.py", "from worker import workers\n")),
    (worker_imports, Module("worker.py", "from avtal.portal.app import app\n")),
    (worker_imports, Module("worker.py", "import starter\n")),
    (imports_of_avtal_init, Module("avtal/__init__.py", "import json\n")),
    (refused_module_names, Module("avtal/store/utils.py", "")),
    (refused_module_names, Module("tests/common/a.py", "")),
    (refused_identifiers, Module("avtal/store/a.py", "def put_off(): ...\n")),
    (vacuous_assertions, Module("tests/a.py", "def test_a():\n    assert all(b for b in c())\n")),
    (vacuous_assertions, Module("tests/a.py", "def test_a():\n    assert not any(b for b in c)\n")),
    (vacuous_assertions, Module("tests/a.py", "def test_a():\n    assert [b for b in c() if b.d] == []\n")),
    (vacuous_assertions, Module("tests/a.py", "def test_a():\n    for b in c():\n        assert b\n")),
    (dialect, Module("docs/a.md", "The relay tells Temporal.\n")),
    (dialect, Module("tests/a.py", "def as_told(): ...\n")),
    (unfinished, Module("avtal/api/a.py", "# TO" + "DO: this\n")),
)


@pytest.mark.parametrize("rule", MODULE_RULES, ids=lambda rule: rule.__name__)
def test_modules_keep_the_rule(rule: Rule) -> None:
    assert breaches(rule, modules()) == []


def test_no_text_is_unfinished() -> None:
    assert breaches(unfinished, texts()) == []


def test_terms_of_the_field_replace_the_dialect() -> None:
    uses = breaches(dialect, texts())

    assert len(uses) <= DIALECT_MAX, uses


@pytest.mark.parametrize(("rule", "module"), BREACHES)
def test_a_breach_is_found(rule: Rule, module: Module) -> None:
    assert list(rule(module))


def test_an_assertion_about_a_known_collection_is_no_breach() -> None:
    asserted = "def test_a():\n    assert c\n    assert all(b for b in c)\n"
    derived = "def test_a():\n    d = len(c)\n    assert d == 3\n    assert all(b for b in c)\n"
    constant = "def test_a():\n    for b in C:\n        assert b\n"

    for text in (asserted, derived, constant):
        assert list(vacuous_assertions(Module("tests/a.py", text))) == []


def test_no_folder_is_crowded() -> None:
    assert crowded_folders(modules()) == []
    assert crowded_folders(Module(f"avtal/a/{number}.py", "") for number in range(14)) == ["avtal/a: 14 files"]


def test_floors_import_downwards_without_circles() -> None:
    found = list(modules())
    upward = Module("avtal/store/a.py", "from avtal.api import app\n")
    downward = Module("avtal/api/a.py", "from avtal.store import opening\n")

    assert (shape.upward_imports(found), shape.circles(found)) == ([], [])
    assert shape.upward_imports([upward]) == ["avtal.store imports avtal.api"]
    assert shape.circles([upward, downward])


def test_functions_are_short() -> None:
    lengths = shape.function_lengths(list(modules()))

    assert lengths[len(lengths) // 2] <= shape.MEDIAN_MAX
    assert shape.percentile_90(lengths) <= shape.P90_MAX


def test_every_floor_is_checked() -> None:
    packages = {f"avtal.{path.name}" for path in (ROOT / "avtal").iterdir() if (path / "__init__.py").exists()}
    top = {"activities", "workflows", "starter", "worker", "tests", "benchmarks"}

    assert {module.floor for module in modules()} >= packages | top | {"billogram_sandbox", "billogram_sandbox_tests"}
    assert len(packages) > 10


def breaches(rule: Rule, found: Iterable[Module]) -> list[str]:
    checked = list(found)
    assert checked
    return [breach for module in checked for breach in rule(module)]


def crowded_folders(found: Iterable[Module]) -> list[str]:
    count = Counter(module.folder for module in found)
    return [f"{folder}: {files} files" for folder, files in count.items() if files > FOLDER_FILES_MAX]
