"""The rules of the house that no linter knows."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
CLOCKS = {"now", "today", "utcnow"}
OF_THE_WORLD = {
    "io", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlalchemy", "subprocess", "threading", "time",
    "uuid", "zoneinfo", "httpx",
}  # fmt: skip
ROOTS = {"config", "telemetry", "worker", "web"}
BELOW_THE_ROOTS = {
    "contracts", "observing", "billogram", "store", "activities", "workflows", "starter", "callbacks", "api",
    "billogram_sandbox",
}  # fmt: skip
MIGRATIONS = "store/migrations/versions/"
"""A migration is a list of tables, made by a tool and frozen once it has run: its length is no matter of style."""
MAY_BE_EMPTY = {"workflows/__init__.py", "activities/__init__.py"}
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
TEXTS = {".py", ".md", ".toml", ".mako", ""}


class Module(NamedTuple):
    path: str
    text: str

    @property
    def floor(self) -> str:
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def tree(self) -> ast.Module:
        return parsed(self.text)


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def long_files(module: Module) -> Iterator[str]:
    count = len(module.text.splitlines())
    is_style = module.floor != "tests" and not module.path.startswith(MIGRATIONS)
    if is_style and count > FILE_LINES_MAX:
        yield f"{module.path}: {count} lines"


def long_functions(module: Module) -> Iterator[str]:
    if module.path.startswith(MIGRATIONS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > FUNCTION_LINES_MAX:
                yield f"{module.path}: {node.name} has {count} lines"


def without_docstring(module: Module) -> Iterator[str]:
    is_empty = module.path in MAY_BE_EMPTY and not module.text
    if not is_empty and not ast.get_docstring(module.tree):
        yield f"{module.path}: what lives here?"


def clocks_in_contracts(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if module.floor == "contracts" and isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            yield f"{module.path}:{node.lineno}: {node.attr}; take the time as an argument"


def what_replays_otherwise(module: Module) -> Iterator[str]:
    """Temporal's sandbox passes workflows through, for the memory of thousands; so it is refused here."""
    if module.floor != "workflows":
        return
    for node in ast.walk(module.tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (f"{module.path}: imports {name}" for name in names if name.partition(".")[0] in OF_THE_WORLD)
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS and ast.unparse(node.value) in ("datetime", "date"):
            yield f"{module.path}:{node.lineno}: {node.attr}; only the workflow's own clock replays"


def roots_known_below(module: Module) -> Iterator[str]:
    if module.floor not in BELOW_THE_ROOTS:
        return
    for node in ast.walk(module.tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name.partition(".")[0] in ROOTS:
                yield f"{module.path}: imports {name}"


def unfinished(module: Module) -> Iterator[str]:
    for number, line in enumerate(module.text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{module.path}:{number}: {line.strip()}"


Rule = Callable[[Module], Iterator[str]]
RULES: list[Rule] = [
    long_files, long_functions, without_docstring, clocks_in_contracts, what_replays_otherwise, roots_known_below,
    unfinished,
]  # fmt: skip
BREACHES: list[tuple[Rule, Module]] = [
    (long_files, Module("store/a.py", "a = 1\n" * 301)),
    (long_functions, Module("tests/a.py", "def a():\n" + "    b()\n" * 50)),
    (without_docstring, Module("store/__init__.py", "")),
    (without_docstring, Module("workflows/__init__.py", "a = 1\n")),
    (clocks_in_contracts, Module("contracts/a.py", "from datetime import date\nb = date.today\n")),
    (what_replays_otherwise, Module("workflows/a.py", "import random\n")),
    (what_replays_otherwise, Module("workflows/a.py", "from datetime import datetime\na = datetime.now()\n")),
    (roots_known_below, Module("api/a.py", "def b():\n    from config import Settings\n")),
    (roots_known_below, Module("store/a.py", "import worker\n")),
    (unfinished, Module("api/a.py", "# TO" + "DO: this\n")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Rule) -> None:
    found = texts() if rule is unfinished else modules()

    assert [breach for module in found for breach in rule(module)] == []


@pytest.mark.parametrize(("rule", "module"), BREACHES)
def test_a_breach_is_found(rule: Rule, module: Module) -> None:
    assert list(rule(module))


def test_every_floor_is_looked_at() -> None:
    assert {module.floor for module in modules()} >= BELOW_THE_ROOTS | ROOTS | {"cli", "embedded", "tests"}


def modules() -> Iterator[Module]:
    return (text for text in texts() if text.path.endswith(".py"))


def texts() -> Iterator[Module]:
    """Ours: what is hidden is made by tools, but for what CI runs."""
    for path in sorted([*ROOT.glob("[!._]*"), ROOT / ".ci"]):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix in TEXTS:
                yield Module(file.relative_to(ROOT).as_posix(), file.read_text())
