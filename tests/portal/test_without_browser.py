"""Without a browser, the skipped tests are named in the last line, and CI fails."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BROWSER_TESTS = "tests/portal/test_browser.py"


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("CI", "PATH", "PYTEST_ADDOPTS")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", BROWSER_TESTS]
    return subprocess.run(
        command, env=inherited | {"PATH": ""} | environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_last_line_names_tests_skipped_for_lack_of_a_browser() -> None:
    done = run()

    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert last.startswith("NOT RUN, no browser on this machine")
    assert f"{BROWSER_TESTS}::test_portal_works_by_keyboard_alone" in last


def test_missing_browser_fails_in_ci() -> None:
    done = run(CI="true")

    assert done.returncode == 1
    assert "no browser on this machine" in done.stdout
