"""The command as a process of its own."""

import subprocess
import sys

import pytest

from avtal.cli.app import app

HEAVY = ("temporalio", "sqlalchemy", "fastapi")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)


def test_a_command_over_http_imports_neither_temporal_nor_the_database() -> None:
    result = run(
        "import sys, avtal.cli.app as cli\n"
        "sys.argv[1:] = ['show', 'c-1', '--data', '/nowhere']\n"
        "try: cli.main()\n"
        "except SystemExit as end: print(end.code)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )

    assert result.stdout.splitlines() == ["1", "[]"]
    assert "avtal up" in result.stderr


def test_help_lists_every_command() -> None:
    result = run("import sys, avtal.cli.app as cli; sys.argv[1:] = ['--help']; cli.main()")
    commands = [str(command.name) for command in app.registered_commands]

    assert result.returncode == 0
    assert len(commands) > 15
    assert [command for command in commands if command not in result.stdout] == []


@pytest.mark.parametrize(("code", "status", "text"), [("0", 0, ""), ("3", 3, ""), ("'a reason'", 1, "a reason\n")])
def test_a_process_with_temporals_client_ends_with_status_output_and_logs(code: str, status: int, text: str) -> None:
    """It ends without the interpreter's finalization."""
    result = run(
        "import logging, sys, temporalio.client, avtal.cli.app as cli\n"
        "logging.basicConfig()\n"
        f"cli.app = lambda: (print('printed'), logging.warning('logged'), sys.exit({code}))\n"
        "cli.main()"
    )

    assert (result.returncode, result.stdout, result.stderr) == (status, "printed\n", f"WARNING:root:logged\n{text}")
