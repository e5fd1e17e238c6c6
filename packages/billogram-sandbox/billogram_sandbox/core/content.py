"""Files as base64 inside JSON. Their type is recognized by the first bytes, not by the name."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

from billogram_sandbox.core.envelope import ApiError

SIZE_MAX = 10 * 1024 * 1024


class File(NamedTuple):
    content: bytes
    kind: str


def decode_file(text: str, kinds: Mapping[bytes, str]) -> File:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    if len(content) > SIZE_MAX:
        raise ApiError(400, "INVALID_PARAMETER", f"the file is larger than {SIZE_MAX} bytes")
    for start, kind in kinds.items():
        if content.startswith(start):
            return File(content, kind)
    raise _invalid()


def encode_file(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _invalid() -> ApiError:
    """Without a field, as Billogram responds."""
    return ApiError(400, "INVALID_PARAMETER", "invalid content")
