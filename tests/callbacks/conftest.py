"""The sandbox, shared with the tests of the Billogram client."""

from tests.billogram.conftest import http, platform, sandbox

__all__ = ["http", "platform", "sandbox"]
