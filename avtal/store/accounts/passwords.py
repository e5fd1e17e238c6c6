"""Generates operators' passwords, and hashes them with Argon2id, which makes guessing expensive."""

import secrets
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SALT_BYTES = 16
HASH_BYTES = 32
MEMORY_KIB = 19_456
"""With two iterations and one lane: OWASP's recommended minimum."""


def new_password() -> str:
    return secrets.token_urlsafe(15)


def hash_of(password: str) -> str:
    """In the PHC format, which includes the parameters: old hashes stay valid if the parameters change."""
    salt = secrets.token_bytes(SALT_BYTES)
    kdf = Argon2id(salt=salt, length=HASH_BYTES, iterations=2, lanes=1, memory_cost=MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


def is_right(password: str, password_hash: str | None) -> bool:
    """It takes as long without a hash, so that response times do not reveal which users exist."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), password_hash or _hash_of_nobody())
    except InvalidKey:
        return False
    return password_hash is not None


@cache
def _hash_of_nobody() -> str:
    return hash_of(new_password())
