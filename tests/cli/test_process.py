"""The command as a process of its own."""

import subprocess
import sys

HEAVY = ("temporalio", "sqlalchemy", "fastapi")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)


def test_a_command_over_http_imports_neither_temporal_nor_the_database() -> None:
    result = run(
        "import sys, cli\n"
        "sys.argv[1:] = ['show', 'c-1']\n"
        "try: cli.main()\n"
        "except SystemExit as end: print(end.code)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )

    assert result.stdout.splitlines() == ["1", "[]"]
    assert "avtal up" in result.stderr


def test_help_lists_every_command_late_ones_included() -> None:
    result = run("import sys, avtal.cli as cli; sys.argv[1:] = ['--help']; cli.main()")

    assert result.returncode == 0
    for command in ("up", "forward", "now", "account", "sell", "show", "worker", "sandbox", "migrate"):
        assert command in result.stdout
