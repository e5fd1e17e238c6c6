"""Reads the files of this repository for the tests that check its shape and its words."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
TEXT_SUFFIXES = {".py", ".md", ".html", ".css", ".js", ".toml", ".mako", ".sh", ".yml", ".yaml", ".example", ""}
GENERATED = ("tests/workflows/histories/", "uv.lock")
SANDBOX = "packages/billogram-sandbox/"


class Module(NamedTuple):
    """A text file. `path` is relative to the root of the repository."""

    path: str
    text: str

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def dotted(self) -> str:
        """The module's import name."""
        name = self.path.removeprefix(SANDBOX).removesuffix(".py").removesuffix("/__init__")
        return name.replace("/", ".")

    @property
    def floor(self) -> str:
        """`avtal.store` of `avtal/store/engine/database.py`; outside `avtal` the first folder or module."""
        parts = self.dotted.split(".")
        return ".".join(parts[: 2 if parts[0] == "avtal" else 1])

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def imports(self) -> Iterator[str]:
        """The full name of everything that is imported, also inside functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, packages: tuple[str, ...] | frozenset[str]) -> bool:
    """Whether the dotted name is one of these packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def modules() -> Iterator[Module]:
    return (text for text in texts() if text.is_python)


def texts() -> Iterator[Module]:
    """All text files but generated and hidden ones; of the hidden ones only what CI runs."""
    for path in sorted([*ROOT.glob("[!._]*"), ROOT / ".ci"]):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(ROOT).as_posix()
            is_hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            is_ours = file.suffix in TEXT_SUFFIXES and not is_hidden and not name.startswith(GENERATED)
            if is_ours and file.is_file():
                yield Module(name, file.read_text())


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)
