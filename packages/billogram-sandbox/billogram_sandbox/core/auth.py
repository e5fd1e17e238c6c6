"""The credentials of the one API user, by HTTP Basic."""

import base64
import secrets
from dataclasses import dataclass

from billogram_sandbox.core.database import Database
from billogram_sandbox.core.envelope import ApiError

CHALLENGE = {"WWW-Authenticate": 'Basic realm="billogram"'}


@dataclass(frozen=True)
class Credentials:
    user: str
    key: str

    @classmethod
    def of(cls, database: Database, user: str | None, key: str | None) -> "Credentials":
        """Missing ones are created once, in Billogram's format, and stored."""
        stored = database.get("credentials") or {}
        user = user or stored.get("user") or f"{secrets.randbelow(9000) + 1000}-{secrets.token_hex(4)}"
        key = key or stored.get("key") or secrets.token_hex(16)
        database.put("credentials", {"user": user, "key": key})
        return cls(user, key)

    def refusal(self, header: str | None) -> ApiError | None:
        if header is None:
            return ApiError(401, "MISSING_AUTH", "no authorization given")
        if secrets.compare_digest(_credentials_in(header), f"{self.user}:{self.key}".encode()):
            return None
        return ApiError(403, "INVALID_AUTH", "wrong API user or key")


def _credentials_in(header: str) -> bytes:
    scheme, _, coded = header.partition(" ")
    try:
        return base64.b64decode(coded, validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        return b""
