"""On a machine without a browser, what needs one is named at the end, and CI does not take it for tested."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BROWSER_TESTS = "tests/portal/test_browser.py"


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "PATH", "PYTEST_ADDOPTS")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", BROWSER_TESTS]
    return subprocess.run(
        command, env=kept | {"PATH": ""} | environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_without_a_browser_the_last_line_names_the_tests_that_did_not_run() -> None:
    done = run()

    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert last.startswith("NOT RUN, no browser on this machine")
    assert f"{BROWSER_TESTS}::test_the_keyboard_is_enough" in last


def test_in_ci_it_is_a_failure() -> None:
    done = run(CI="true")

    assert done.returncode == 1
    assert "no browser on this machine" in done.stdout
