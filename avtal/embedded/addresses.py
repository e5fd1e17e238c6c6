"""`DIR/addresses.json`: addresses and keys of the running stack. Written last, removed by a clean stop."""

import json
import os
from pathlib import Path

from avtal.contracts.frozen import Frozen


class Addresses(Frozen):
    web: str
    worker: str
    sandbox: str
    temporal: str
    temporal_namespace: str
    temporal_ui: str | None
    account: str
    api_key: str
    billogram_user: str
    billogram_key: str
    operator_user: str
    operator_password: str
    pid: int


def addresses_file(data_dir: Path) -> Path:
    return data_dir / "addresses.json"


def write_addresses(data_dir: Path, addresses: Addresses) -> None:
    """Readable only by its owner; replaced atomically."""
    target = addresses_file(data_dir)
    draft = target.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(addresses.model_dump(), indent=1) + "\n")
    draft.replace(target)


def read_addresses(data_dir: Path) -> Addresses | None:
    """None if no stack runs on this directory, also after a kill that left the file."""
    try:
        addresses = Addresses.model_validate_json(addresses_file(data_dir).read_bytes())
    except FileNotFoundError:
        return None
    return addresses if _is_alive(addresses.pid) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
