"""The command line of Temporal's dev server: a database file, and workflows whose time can be skipped."""

import shutil
import sys
from pathlib import Path

from avtal.embedded.ports import HOST, Ports
from workflows.search_attributes import SEARCH_ATTRIBUTES, type_name

NAMESPACE = "default"

PRAGMAS = {"journal_mode": "wal", "synchronous": "normal"}

DYNAMIC_CONFIG = {
    # The per-workflow clock of Server 1.32, off by default.
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # 1.32.0 counts skipped time twice in the start time of a continued run, and delays its first task by months. A
    # large negative minimum turns that delay off. Never in production.
    "history.workflowIdReuseMinimalInterval": '"-876000h"',
    # A skip takes a second by default, and much less with these. Timers within 10 ms are read together.
    "history.timerProcessorMaxTimeShift": '"10ms"',
    "history.timerProcessorMaxPollRPS": "10000",
    "frontend.WorkflowTimeSkippingMaxSkipPerSession": "100000",
    # The billing queue serves accounts in turn.
    "matching.enableFairness": "true",
    # With one server, partitions only forward tasks and polls to each other.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # On by default in the dev server; it costs three database reads per task.
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
}


def dev_server_command(data_dir: Path, ports: Ports, *, headless: bool) -> list[str]:
    options = {
        "--db-filename": str(data_dir / "temporal.db"),
        "--ip": HOST,
        "--port": str(ports.temporal),
        "--namespace": NAMESPACE,
        "--log-level": "error",
    }
    command = [temporal_program(), "server", "start-dev", *(argument for pair in options.items() for argument in pair)]
    for name, value in PRAGMAS.items():
        command += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{name}={value}"]
    for attribute in SEARCH_ATTRIBUTES:
        command += ["--search-attribute", f"{attribute.name}={type_name(attribute)}"]
    return [*command, *(["--headless"] if headless else ["--ui-port", str(ports.temporal_ui)])]


def temporal_program() -> str:
    """The Temporal CLI that the `embedded` extra installs beside Python. Raises FileNotFoundError."""
    own = Path(sys.executable).parent / "temporal"
    found = str(own) if own.exists() else shutil.which("temporal")
    if found is None:
        raise FileNotFoundError("the Temporal CLI is missing; install avtal with its extra: avtal[embedded]")
    return found
