"""The two signatures of a callback: the current one, over the raw body, and the legacy one, inside it."""

import hashlib
import hmac


def current(sign_key: str, timestamp: str, body: bytes) -> str:
    return hmac.new(sign_key.encode(), timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def legacy(sign_key: str, callback_id: str) -> str:
    return hashlib.md5((callback_id + sign_key).encode()).hexdigest()
