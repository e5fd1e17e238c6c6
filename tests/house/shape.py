"""Prints the shape of the code. `python -m tests.house.shape`

Lines of a function are those of its body, without docstring, blank lines, and comments. Long files and floors concern
all Python files, functions the product and the sandbox without their tests.
"""

import ast
import statistics
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from rich.console import Console
from rich.table import Table

from tests.house.source_tree import ROOT, Module, modules, texts
from tests.house.vocabulary import DIALECT_MAX, dialect

FILE_LINES_MAX = 300
MEDIAN_MAX, P90_MAX = 5, 15
NOT_PRODUCT = {"tests", "benchmarks", "examples", "billogram_sandbox_tests"}
MIGRATIONS = "/migrations/versions/"


def function_lengths(found: list[Module]) -> list[int]:
    lengths = [
        body_lines(module, function)
        for module in found
        if module.floor not in NOT_PRODUCT and MIGRATIONS not in module.path
        for function in module.functions()
    ]
    return sorted(lengths)


def body_lines(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    lines = module.text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def percentile_90(lengths: list[int]) -> int:
    return lengths[len(lengths) * 9 // 10]


def long_files(found: list[Module]) -> list[str]:
    return [
        module.path
        for module in found
        if MIGRATIONS not in module.path and len(module.text.splitlines()) > FILE_LINES_MAX
    ]


def floors() -> list[set[str]]:
    """From top to bottom, as import-linter checks them. `worker.py` is not a package, and stands beside `avtal.web`."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [
        set(layer.split(" | ")) for layer in next(c for c in contracts if c["name"].startswith("Layers"))["layers"]
    ]
    return [layer | {"worker"} if "avtal.web" in layer else layer for layer in layers]


def floor_imports(found: list[Module]) -> set[tuple[str, str]]:
    """Which floor imports which other one."""
    known = set().union(*floors())
    return {
        (module.floor, floor)
        for module in found
        if module.floor in known
        for name in module.imports()
        for floor in known - {module.floor}
        if name == floor or name.startswith(f"{floor}.")
    }


def upward_imports(found: list[Module]) -> list[str]:
    """Also between siblings."""
    rank = {floor: number for number, layer in enumerate(floors()) for floor in layer}
    return sorted(f"{one} imports {other}" for one, other in floor_imports(found) if rank[one] >= rank[other])


def circles(found: list[Module]) -> list[str]:
    graph: dict[str, set[str]] = {}
    for one, other in floor_imports(found):
        graph.setdefault(one, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" → ".join(error.args[1])]
    return []


def figures() -> Iterator[tuple[str, object, str]]:
    """What, its value, and the goal."""
    found = list(modules())
    lengths = function_lengths(found)
    uses = [use for text in texts() for use in dialect(text)]
    yield "functions", len(lengths), ""
    yield "lines of a function, median", statistics.median(lengths), f"≤ {MEDIAN_MAX}"
    yield "lines of a function, 90 % within", percentile_90(lengths), f"≤ {P90_MAX}"
    yield f"files over {FILE_LINES_MAX} lines", len(long_files(found)), "0"
    yield "imports upward or between siblings", len(upward_imports(found)), "0"
    yield "circles between floors", len(circles(found)), "0"
    yield "tell, tells, told, telling", len(uses), f"≤ {DIALECT_MAX}"


def main() -> None:
    table = Table("", "measured", "goal", title="The shape of the code")
    for name, value, goal in figures():
        table.add_row(name, str(value), goal)
    Console().print(table)


if __name__ == "__main__":
    main()
