"""Files that come as base64 inside JSON: read, and known by their first bytes, whatever they are called."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

from billogram_sandbox.core.envelope import Problem

SIZE_MAX = 10 * 1024 * 1024


class File(NamedTuple):
    content: bytes
    kind: str


def decoded(text: str, kinds: Mapping[bytes, str]) -> File:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _bad() from None
    if len(content) > SIZE_MAX:
        raise Problem(400, "INVALID_PARAMETER", f"the file is larger than {SIZE_MAX} bytes")
    for start, kind in kinds.items():
        if content.startswith(start):
            return File(content, kind)
    raise _bad()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bad() -> Problem:
    """Without a field, as recorded."""
    return Problem(400, "INVALID_PARAMETER", "invalid content")
