"""`DIR/secrets.json`: the keys of the embedded stack, created once, readable only by their owner."""

import secrets
from pathlib import Path

from avtal.contracts.frozen import Frozen
from avtal.store.accounts.passwords import new_password
from avtal.store.engine.cipher import new_cipher_key


class Secrets(Frozen):
    cipher_key: str
    billogram_user: str
    billogram_key: str
    callback_key: str
    operator_password: str
    api_key: str | None = None


def has_secrets(data_dir: Path) -> bool:
    return _file(data_dir).exists()


def load_secrets(data_dir: Path) -> Secrets:
    """Creates them if there are none."""
    file = _file(data_dir)
    if file.exists():
        return Secrets.model_validate_json(file.read_bytes())
    created = Secrets(
        cipher_key=new_cipher_key(),
        billogram_user=f"8270-{secrets.token_hex(4)}",
        billogram_key=secrets.token_hex(16),
        callback_key=secrets.token_hex(32),
        operator_password=new_password(),
    )
    return save_secrets(data_dir, created)


def save_secrets(data_dir: Path, stored: Secrets) -> Secrets:
    file = _file(data_dir)
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(stored.model_dump_json(indent=1) + "\n")
    draft.replace(file)
    return stored


def _file(data_dir: Path) -> Path:
    return data_dir / "secrets.json"
