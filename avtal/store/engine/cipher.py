"""Encrypts secrets at rest: platform keys, callback keys, and signing secrets, with one key from the environment."""

from cryptography.fernet import Fernet, InvalidToken


class SecretsUnreadable(Exception):
    """The store's secrets were encrypted with another AVTAL_SECRET_KEY."""


class Cipher:
    def __init__(self, key: str) -> None:
        """Raises ValueError if `key` is no Fernet key."""
        self._fernet = Fernet(key)

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises SecretsUnreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SecretsUnreadable("AVTAL_SECRET_KEY is not the key that this store was written with") from error


def new_cipher_key() -> str:
    return Fernet.generate_key().decode()
