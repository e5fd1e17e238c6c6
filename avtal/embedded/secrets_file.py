"""`DIR/secrets.json`: the keys of the embedded stack, made once, readable by their owner alone."""

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


def secrets_of(data_dir: Path) -> Secrets:
    file = data_dir / "secrets.json"
    if file.exists():
        return Secrets.model_validate_json(file.read_bytes())
    made = Secrets(
        cipher_key=new_cipher_key(),
        billogram_user=f"8270-{secrets.token_hex(4)}",
        billogram_key=secrets.token_hex(16),
        callback_key=secrets.token_hex(32),
        operator_password=new_password(),
    )
    return keep_secrets(data_dir, made)


def keep_secrets(data_dir: Path, kept: Secrets) -> Secrets:
    file = data_dir / "secrets.json"
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(kept.model_dump_json(indent=1) + "\n")
    draft.replace(file)
    return kept
