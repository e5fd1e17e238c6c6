"""Verifies that a callback comes from Billogram: HMAC-SHA256 over the timestamp, a colon, and the raw body.

Fails closed: without a key, no signature is valid. Old timestamps are accepted, because a retry may be old and a repeat
changes nothing. The legacy MD5 signature in the body is ignored.
"""

import hmac
from collections.abc import Mapping, Sequence

TIMESTAMP_HEADERS = ("billogram-request-timestamp", "x-billogram-request-timestamp")
SIGNATURE_HEADERS = ("billogram-signature", "x-billogram-signature")


def is_genuine(headers: Mapping[str, str], body: bytes, sign_keys: Sequence[str]) -> bool:
    """`headers` have lower-case names. Any of `sign_keys` may match, which allows key rotation."""
    timestamp = _first(headers, TIMESTAMP_HEADERS)
    signature = _first(headers, SIGNATURE_HEADERS)
    if not timestamp or not signature or not signature.isascii():
        return False
    matches = [hmac.compare_digest(sign(key, timestamp, body), signature) for key in sign_keys if key]
    return any(matches)


def sign(sign_key: str, timestamp: str, body: bytes) -> str:
    return hmac.new(sign_key.encode(), timestamp.encode() + b":" + body, "sha256").hexdigest()


def _first(headers: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((headers[name] for name in names if name in headers), None)
