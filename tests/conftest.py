"""What every kind of test may use: the option that records histories anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-histories",
        action="store_true",
        help="Write the histories of the diaries to tests/workflows/histories, from where they are replayed.",
    )
