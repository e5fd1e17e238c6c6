"""The sandbox as the platform's tests have it."""

from tests.billogram.conftest import http, platform, sandbox

__all__ = ["http", "platform", "sandbox"]
