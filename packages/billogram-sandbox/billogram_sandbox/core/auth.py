"""Who may call the API: one API user with one key, by HTTP Basic."""

import base64
import secrets
from dataclasses import dataclass

from billogram_sandbox.core.database import Database
from billogram_sandbox.core.envelope import Problem

CHALLENGE = {"WWW-Authenticate": 'Basic realm="billogram"'}


@dataclass(frozen=True)
class Credentials:
    user: str
    key: str

    @classmethod
    def of(cls, database: Database, user: str | None, key: str | None) -> "Credentials":
        """What is not given is made up once, in Billogram's shapes, and kept."""
        kept = database.get("credentials") or {}
        user = user or kept.get("user") or f"{secrets.randbelow(9000) + 1000}-{secrets.token_hex(4)}"
        key = key or kept.get("key") or secrets.token_hex(16)
        database.put("credentials", {"user": user, "key": key})
        return cls(user, key)

    def refusal(self, header: str | None) -> Problem | None:
        if header is None:
            return Problem(401, "MISSING_AUTH", "no authorization given")
        if secrets.compare_digest(_decoded(header), f"{self.user}:{self.key}".encode()):
            return None
        return Problem(403, "INVALID_AUTH", "wrong API user or key")


def _decoded(header: str) -> bytes:
    scheme, _, coded = header.partition(" ")
    try:
        return base64.b64decode(coded, validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        return b""
