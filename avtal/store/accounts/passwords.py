"""Operators' passwords: made at random, kept as Argon2id, which costs whoever guesses time and memory."""

import secrets
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SALT_BYTES = 16
HASH_BYTES = 32
MEMORY_KIB = 19_456
"""With two iterations and one lane: the least that OWASP recommends."""


def new_password() -> str:
    return secrets.token_urlsafe(15)


def hash_of(password: str) -> str:
    """In the PHC format, which names its own parameters: they may grow, and old hashes still hold."""
    salt = secrets.token_bytes(SALT_BYTES)
    kdf = Argon2id(salt=salt, length=HASH_BYTES, iterations=2, lanes=1, memory_cost=MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


def is_right(password: str, password_hash: str | None) -> bool:
    """Without a hash it takes as long, so that nobody learns which users there are."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), password_hash or _of_nobody())
    except InvalidKey:
        return False
    return password_hash is not None


@cache
def _of_nobody() -> str:
    return hash_of(new_password())
