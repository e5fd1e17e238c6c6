"""The sandbox as the platform's tests have it."""

from tests.billogram.conftest import platform, sandbox

__all__ = ["platform", "sandbox"]
