"""The panel with the addresses of a running stack, and its commands in a form that can be copied."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.markup import escape
from rich.panel import Panel

from avtal.embedded.addresses import Addresses

DEFAULT_DATA_DIR = Path(".avtal")
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
"""In a checkout; a wheel has none."""


def where_to_look(
    title: str, addresses: Addresses, data_dir: Path, more: Mapping[str, str], closing: Sequence[str]
) -> Panel:
    workflows = f"{addresses.temporal_ui}/namespaces/{addresses.temporal_namespace}/workflows"
    rows = {
        "Portal": f"{addresses.web}/portal/",
        "  user, password": f"{addresses.operator_user}, {addresses.operator_password}",
        "API": f"{addresses.web}/docs",
        "  key": addresses.api_key,
        "Temporal UI": workflows if addresses.temporal_ui else "off (--headless)",
        **more,
        "Data and logs": str(data_dir),
    }
    lines = [f"[bold]{name:<18}[/bold]{escape(value)}" for name, value in rows.items()]
    return Panel("\n".join([*lines, "", *map(escape, closing)]), title=title, border_style="green", expand=False)


def command_prefix(data_dir: Path | None) -> str:
    """`avtal` as it can be called from here, with `--data` if the stack's data directory is not the default."""
    command = shlex.quote(_program())
    if data_dir is None or data_dir.resolve() == DEFAULT_DATA_DIR.resolve():
        return command
    return f"{command} --data {shlex.quote(shortest(data_dir))}"


def shortest(path: Path) -> str:
    """Relative to the current folder if it is inside."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _program() -> str:
    own = Path(sys.executable).parent / "avtal"
    on_path = shutil.which("avtal")
    if not own.exists() or (on_path is not None and os.path.samefile(on_path, own)):
        return "avtal"
    return shortest(own)
